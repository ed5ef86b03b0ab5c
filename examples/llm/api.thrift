// A service that writes text token by token.

namespace go llm

struct Prompt {
    1: required string text
    2: optional i32 maxTokens
    // The speed asked for, in place of the model's own; 0 is as fast as it can.
    3: optional double tokensPerSecond
}

struct Token {
    1: required i32 index
    2: required string text
    // The last token of an answer; a chat goes on after it.
    3: required bool last
}

struct TokenCount {
    1: required i32 count
}

service Llm {
    Token Generate(1: Prompt prompt) (streaming.mode="server")
    Token Chat(1: Prompt prompt) (streaming.mode="bidirectional")
    TokenCount CountTokens(1: Prompt prompt) (streaming.mode="unary")
}
