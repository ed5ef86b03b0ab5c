// The shelves of a shop, by ordinary Thrift calls: named arguments, a declared exception, void and oneway.

namespace go shop

struct Item {
    1: required string name
    2: required i32 count
}

exception SoldOut {
    1: required i32 left
}

service Shelves {
    void Put (1: string name, 2: i32 count)
    // A name that is not there is a business error, 404.
    Item Find (1: string name)
    Item Take (1: string name, 2: i32 count) throws (1: SoldOut soldOut)
    // Counts everything by hand, which takes as long as it takes.
    i32 Count ()
    // The address that the call came from: calls of one connection have the same.
    string Caller ()
    oneway void Note (1: string text)
}
