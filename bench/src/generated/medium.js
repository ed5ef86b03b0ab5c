/* eslint-disable */
// Static code of codec/medium.proto by pbjs of protobufjs-cli 2.7.1, without comments and default export:
//   pbjs -t static-module -w esm --no-create --no-verify --no-convert --no-delimited --no-typeurl --no-service codec/medium.proto
import $protobuf from "protobufjs/minimal.js"

// Common aliases
const $Reader = $protobuf.Reader,
  $Writer = $protobuf.Writer,
  $util = $protobuf.util
const $Object = $util.global.Object,
  $undefined = $util.global.undefined,
  $Error = $util.global.Error,
  $RangeError = $util.global.RangeError

// Exported root namespace
const $root = $protobuf.roots["default"] || ($protobuf.roots["default"] = {})

export const bench = ($root.bench = (() => {
  const bench = {}

  bench.Item = (function () {
    const Item = function (properties) {
      if (properties)
        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
          if (properties[keys[i]] != null && keys[i] !== "__proto__") this[keys[i]] = properties[keys[i]]
    }

    Item.prototype.name = ""

    Item.prototype.count = 0

    Item.prototype.at = $util.Long ? $util.Long.fromBits(0, 0, false) : 0

    Item.prototype.weight = 0

    Item.prototype.live = false

    Item.encode = function (message, writer, _depth) {
      if (!writer) writer = $Writer.create()
      if (_depth === $undefined) _depth = 0
      if (_depth > $util.recursionLimit) throw $Error("max depth exceeded")
      if (message.name != null && $Object.hasOwnProperty.call(message, "name") && message.name !== "")
        writer.uint32(/* id 1, wireType 2 =*/ 10).string(message.name)
      if (message.count != null && $Object.hasOwnProperty.call(message, "count") && message.count !== 0)
        writer.uint32(/* id 2, wireType 0 =*/ 16).int32(message.count)
      if (
        message.at != null &&
        $Object.hasOwnProperty.call(message, "at") &&
        (typeof message.at === "object" ? message.at.low || message.at.high : message.at !== 0)
      )
        writer.uint32(/* id 3, wireType 0 =*/ 24).int64(message.at)
      if (message.weight != null && $Object.hasOwnProperty.call(message, "weight") && !$Object.is(message.weight, 0))
        writer.uint32(/* id 4, wireType 1 =*/ 33).double(message.weight)
      if (message.live != null && $Object.hasOwnProperty.call(message, "live") && message.live !== false)
        writer.uint32(/* id 5, wireType 0 =*/ 40).bool(message.live)
      if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
        for (let i = 0; i < message.$unknowns.length; ++i) writer.raw(message.$unknowns[i])
      return writer
    }

    Item.decode = function (reader, length, _end, _depth, _target) {
      if (!(reader instanceof $Reader)) reader = $Reader.create(reader)
      if (_depth === $undefined) _depth = 0
      if (_depth > $Reader.recursionLimit) throw $Error("max depth exceeded")
      let end, message, value
      if (length === $undefined) end = reader.len
      else {
        end = reader.pos + length
        if (end > reader.len) throw $RangeError("index out of range")
        length = reader.len
        reader.len = end
      }
      message = _target || new $root.bench.Item()
      while (reader.pos < end) {
        let start = reader.pos
        let tag = reader.tag()
        if (tag === _end) {
          _end = $undefined
          break
        }
        let wireType = tag & 7
        switch ((tag >>>= 3)) {
          case 1: {
            if (wireType !== 2) break
            if ((value = reader.stringVerify()).length) message.name = value
            else delete message.name
            continue
          }
          case 2: {
            if (wireType !== 0) break
            if ((value = reader.int32())) message.count = value
            else delete message.count
            continue
          }
          case 3: {
            if (wireType !== 0) break
            if (typeof (value = reader.int64()) === "object" ? value.low || value.high : value !== 0) message.at = value
            else delete message.at
            continue
          }
          case 4: {
            if (wireType !== 1) break
            if (!$Object.is((value = reader.double()), 0)) message.weight = value
            else delete message.weight
            continue
          }
          case 5: {
            if (wireType !== 0) break
            if ((value = reader.bool())) message.live = value
            else delete message.live
            continue
          }
        }
        reader.skipType(wireType, _depth, tag)
        if (!reader.discardUnknown) {
          $util.makeProp(message, "$unknowns", false)
          ;(message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos))
        }
      }
      if (length !== $undefined) {
        if (reader.pos !== end) throw $RangeError("index out of range")
        reader.len = length
      }
      if (_end !== $undefined) throw $Error("missing end group")
      return message
    }

    return Item
  })()

  bench.Level = (function () {
    const valuesById = $Object.create(null),
      values = $Object.create(valuesById)
    values[(valuesById[0] = "LOW")] = 0
    values[(valuesById[1] = "MIDDLE")] = 1
    values[(valuesById[2] = "HIGH")] = 2
    return values
  })()

  bench.Medium = (function () {
    const Medium = function (properties) {
      this.tags = []
      this.counters = {}
      this.labels = {}
      this.shards = []
      this.items = []
      if (properties)
        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
          if (properties[keys[i]] != null && keys[i] !== "__proto__") this[keys[i]] = properties[keys[i]]
    }

    Medium.prototype.id = ""

    Medium.prototype.name = ""

    Medium.prototype.live = false

    Medium.prototype.shard = 0

    Medium.prototype.port = 0

    Medium.prototype.count = 0

    Medium.prototype.at = $util.Long ? $util.Long.fromBits(0, 0, false) : 0

    Medium.prototype.score = 0

    Medium.prototype.level = 0

    Medium.prototype.digest = $util.newBuffer([])

    Medium.prototype.tags = $util.emptyArray

    Medium.prototype.counters = $util.emptyObject

    Medium.prototype.labels = $util.emptyObject

    Medium.prototype.shards = $util.emptyArray

    Medium.prototype.items = $util.emptyArray

    Medium.encode = function (message, writer, _depth) {
      if (!writer) writer = $Writer.create()
      if (_depth === $undefined) _depth = 0
      if (_depth > $util.recursionLimit) throw $Error("max depth exceeded")
      if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
        writer.uint32(/* id 1, wireType 2 =*/ 10).string(message.id)
      if (message.name != null && $Object.hasOwnProperty.call(message, "name") && message.name !== "")
        writer.uint32(/* id 2, wireType 2 =*/ 18).string(message.name)
      if (message.live != null && $Object.hasOwnProperty.call(message, "live") && message.live !== false)
        writer.uint32(/* id 3, wireType 0 =*/ 24).bool(message.live)
      if (message.shard != null && $Object.hasOwnProperty.call(message, "shard") && message.shard !== 0)
        writer.uint32(/* id 4, wireType 0 =*/ 32).int32(message.shard)
      if (message.port != null && $Object.hasOwnProperty.call(message, "port") && message.port !== 0)
        writer.uint32(/* id 5, wireType 0 =*/ 40).int32(message.port)
      if (message.count != null && $Object.hasOwnProperty.call(message, "count") && message.count !== 0)
        writer.uint32(/* id 6, wireType 0 =*/ 48).int32(message.count)
      if (
        message.at != null &&
        $Object.hasOwnProperty.call(message, "at") &&
        (typeof message.at === "object" ? message.at.low || message.at.high : message.at !== 0)
      )
        writer.uint32(/* id 7, wireType 0 =*/ 56).int64(message.at)
      if (message.score != null && $Object.hasOwnProperty.call(message, "score") && !$Object.is(message.score, 0))
        writer.uint32(/* id 8, wireType 1 =*/ 65).double(message.score)
      if (message.level != null && $Object.hasOwnProperty.call(message, "level") && message.level !== 0)
        writer.uint32(/* id 9, wireType 0 =*/ 72).int32(message.level)
      if (message.digest != null && $Object.hasOwnProperty.call(message, "digest") && message.digest.length)
        writer.uint32(/* id 10, wireType 2 =*/ 82).bytes(message.digest)
      if (message.tags != null && message.tags.length)
        for (let i = 0; i < message.tags.length; ++i) writer.uint32(/* id 11, wireType 2 =*/ 90).string(message.tags[i])
      if (message.counters != null && $Object.hasOwnProperty.call(message, "counters"))
        for (let keys = $Object.keys(message.counters), i = 0; i < keys.length; ++i)
          writer
            .uint32(/* id 12, wireType 2 =*/ 98)
            .fork()
            .uint32(/* id 1, wireType 2 =*/ 10)
            .string(keys[i])
            .uint32(/* id 2, wireType 0 =*/ 16)
            .int64(message.counters[keys[i]])
            .ldelim()
      if (message.labels != null && $Object.hasOwnProperty.call(message, "labels"))
        for (let keys = $Object.keys(message.labels), i = 0; i < keys.length; ++i)
          writer
            .uint32(/* id 13, wireType 2 =*/ 106)
            .fork()
            .uint32(/* id 1, wireType 2 =*/ 10)
            .string(keys[i])
            .uint32(/* id 2, wireType 2 =*/ 18)
            .string(message.labels[keys[i]])
            .ldelim()
      if (message.shards != null && message.shards.length)
        writer.uint32(/* id 14, wireType 2 =*/ 114).int32s(message.shards)
      if (message.items != null && message.items.length)
        for (let i = 0; i < message.items.length; ++i)
          $root.bench.Item.encode(
            message.items[i],
            writer.uint32(/* id 15, wireType 2 =*/ 122).fork(),
            _depth + 1
          ).ldelim()
      if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
        for (let i = 0; i < message.$unknowns.length; ++i) writer.raw(message.$unknowns[i])
      return writer
    }

    Medium.decode = function (reader, length, _end, _depth, _target) {
      if (!(reader instanceof $Reader)) reader = $Reader.create(reader)
      if (_depth === $undefined) _depth = 0
      if (_depth > $Reader.recursionLimit) throw $Error("max depth exceeded")
      let end, message, key, value
      if (length === $undefined) end = reader.len
      else {
        end = reader.pos + length
        if (end > reader.len) throw $RangeError("index out of range")
        length = reader.len
        reader.len = end
      }
      message = _target || new $root.bench.Medium()
      while (reader.pos < end) {
        let start = reader.pos
        let tag = reader.tag()
        if (tag === _end) {
          _end = $undefined
          break
        }
        let wireType = tag & 7
        switch ((tag >>>= 3)) {
          case 1: {
            if (wireType !== 2) break
            if ((value = reader.stringVerify()).length) message.id = value
            else delete message.id
            continue
          }
          case 2: {
            if (wireType !== 2) break
            if ((value = reader.stringVerify()).length) message.name = value
            else delete message.name
            continue
          }
          case 3: {
            if (wireType !== 0) break
            if ((value = reader.bool())) message.live = value
            else delete message.live
            continue
          }
          case 4: {
            if (wireType !== 0) break
            if ((value = reader.int32())) message.shard = value
            else delete message.shard
            continue
          }
          case 5: {
            if (wireType !== 0) break
            if ((value = reader.int32())) message.port = value
            else delete message.port
            continue
          }
          case 6: {
            if (wireType !== 0) break
            if ((value = reader.int32())) message.count = value
            else delete message.count
            continue
          }
          case 7: {
            if (wireType !== 0) break
            if (typeof (value = reader.int64()) === "object" ? value.low || value.high : value !== 0) message.at = value
            else delete message.at
            continue
          }
          case 8: {
            if (wireType !== 1) break
            if (!$Object.is((value = reader.double()), 0)) message.score = value
            else delete message.score
            continue
          }
          case 9: {
            if (wireType !== 0) break
            if ((value = reader.int32())) message.level = value
            else delete message.level
            continue
          }
          case 10: {
            if (wireType !== 2) break
            if ((value = reader.bytes()).length) message.digest = value
            else delete message.digest
            continue
          }
          case 11: {
            if (wireType !== 2) break
            if (!(message.tags && message.tags.length)) message.tags = []
            message.tags.push(reader.stringVerify())
            continue
          }
          case 12: {
            if (wireType !== 2) break
            if (message.counters === $util.emptyObject) message.counters = {}
            let end2 = reader.size() + reader.pos
            if (end2 > reader.len) throw $RangeError("index out of range")
            reader.len = end2
            key = ""
            value = $util.Long ? $util.Long.fromNumber(0, false) : 0
            while (reader.pos < end2) {
              let tag2 = reader.tag()
              wireType = tag2 & 7
              switch ((tag2 >>>= 3)) {
                case 1:
                  if (wireType !== 2) break
                  key = reader.stringVerify()
                  continue
                case 2:
                  if (wireType !== 0) break
                  value = reader.int64()
                  continue
              }
              reader.skipType(wireType, _depth, tag2)
            }
            if (reader.pos !== end2) throw $RangeError("index out of range")
            reader.len = end
            if (key === "__proto__") $util.makeProp(message.counters, key)
            message.counters[key] = value
            continue
          }
          case 13: {
            if (wireType !== 2) break
            if (message.labels === $util.emptyObject) message.labels = {}
            let end2 = reader.size() + reader.pos
            if (end2 > reader.len) throw $RangeError("index out of range")
            reader.len = end2
            key = ""
            value = ""
            while (reader.pos < end2) {
              let tag2 = reader.tag()
              wireType = tag2 & 7
              switch ((tag2 >>>= 3)) {
                case 1:
                  if (wireType !== 2) break
                  key = reader.stringVerify()
                  continue
                case 2:
                  if (wireType !== 2) break
                  value = reader.stringVerify()
                  continue
              }
              reader.skipType(wireType, _depth, tag2)
            }
            if (reader.pos !== end2) throw $RangeError("index out of range")
            reader.len = end
            if (key === "__proto__") $util.makeProp(message.labels, key)
            message.labels[key] = value
            continue
          }
          case 14: {
            if (wireType === 2) {
              if (!(message.shards && message.shards.length)) message.shards = []
              reader.int32s(message.shards)
              continue
            }
            if (wireType !== 0) break
            if (!(message.shards && message.shards.length)) message.shards = []
            message.shards.push(reader.int32())
            continue
          }
          case 15: {
            if (wireType !== 2) break
            if (!(message.items && message.items.length)) message.items = []
            message.items.push($root.bench.Item.decode(reader, reader.size(), $undefined, _depth + 1))
            continue
          }
        }
        reader.skipType(wireType, _depth, tag)
        if (!reader.discardUnknown) {
          $util.makeProp(message, "$unknowns", false)
          ;(message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos))
        }
      }
      if (length !== $undefined) {
        if (reader.pos !== end) throw $RangeError("index out of range")
        reader.len = length
      }
      if (_end !== $undefined) throw $Error("missing end group")
      return message
    }

    return Medium
  })()

  return bench
})())
