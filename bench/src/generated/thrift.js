/* eslint-disable */
// Code of peers/thrift.thrift by Apache Thrift's compiler 0.17.0, its two files in one, as an ECMAScript module:
//   thrift --gen js:node,es6 peers/thrift.thrift
import thrift from "thrift"
const Thrift = thrift.Thrift

export const Message = class {
  constructor(args) {
    this.message = null
    if (args) {
      if (args.message !== undefined && args.message !== null) {
        this.message = args.message
      }
    }
  }

  read(input) {
    input.readStructBegin()
    while (true) {
      const ret = input.readFieldBegin()
      const ftype = ret.ftype
      const fid = ret.fid
      if (ftype == Thrift.Type.STOP) {
        break
      }
      switch (fid) {
        case 1:
          if (ftype == Thrift.Type.STRING) {
            this.message = input.readString()
          } else {
            input.skip(ftype)
          }
          break
        case 0:
          input.skip(ftype)
          break
        default:
          input.skip(ftype)
      }
      input.readFieldEnd()
    }
    input.readStructEnd()
    return
  }

  write(output) {
    output.writeStructBegin("Message")
    if (this.message !== null && this.message !== undefined) {
      output.writeFieldBegin("message", Thrift.Type.STRING, 1)
      output.writeString(this.message)
      output.writeFieldEnd()
    }
    output.writeFieldStop()
    output.writeStructEnd()
    return
  }
}
export const Blob = class {
  constructor(args) {
    this.bytes = null
    if (args) {
      if (args.bytes !== undefined && args.bytes !== null) {
        this.bytes = args.bytes
      }
    }
  }

  read(input) {
    input.readStructBegin()
    while (true) {
      const ret = input.readFieldBegin()
      const ftype = ret.ftype
      const fid = ret.fid
      if (ftype == Thrift.Type.STOP) {
        break
      }
      switch (fid) {
        case 1:
          if (ftype == Thrift.Type.STRING) {
            this.bytes = input.readBinary()
          } else {
            input.skip(ftype)
          }
          break
        case 0:
          input.skip(ftype)
          break
        default:
          input.skip(ftype)
      }
      input.readFieldEnd()
    }
    input.readStructEnd()
    return
  }

  write(output) {
    output.writeStructBegin("Blob")
    if (this.bytes !== null && this.bytes !== undefined) {
      output.writeFieldBegin("bytes", Thrift.Type.STRING, 1)
      output.writeBinary(this.bytes)
      output.writeFieldEnd()
    }
    output.writeFieldStop()
    output.writeStructEnd()
    return
  }
}

const TestService_EchoPingPong_args = class {
  constructor(args) {
    this.req = null
    if (args) {
      if (args.req !== undefined && args.req !== null) {
        this.req = new Message(args.req)
      }
    }
  }

  read(input) {
    input.readStructBegin()
    while (true) {
      const ret = input.readFieldBegin()
      const ftype = ret.ftype
      const fid = ret.fid
      if (ftype == Thrift.Type.STOP) {
        break
      }
      switch (fid) {
        case 1:
          if (ftype == Thrift.Type.STRUCT) {
            this.req = new Message()
            this.req.read(input)
          } else {
            input.skip(ftype)
          }
          break
        case 0:
          input.skip(ftype)
          break
        default:
          input.skip(ftype)
      }
      input.readFieldEnd()
    }
    input.readStructEnd()
    return
  }

  write(output) {
    output.writeStructBegin("TestService_EchoPingPong_args")
    if (this.req !== null && this.req !== undefined) {
      output.writeFieldBegin("req", Thrift.Type.STRUCT, 1)
      this.req.write(output)
      output.writeFieldEnd()
    }
    output.writeFieldStop()
    output.writeStructEnd()
    return
  }
}
const TestService_EchoPingPong_result = class {
  constructor(args) {
    this.success = null
    if (args) {
      if (args.success !== undefined && args.success !== null) {
        this.success = new Message(args.success)
      }
    }
  }

  read(input) {
    input.readStructBegin()
    while (true) {
      const ret = input.readFieldBegin()
      const ftype = ret.ftype
      const fid = ret.fid
      if (ftype == Thrift.Type.STOP) {
        break
      }
      switch (fid) {
        case 0:
          if (ftype == Thrift.Type.STRUCT) {
            this.success = new Message()
            this.success.read(input)
          } else {
            input.skip(ftype)
          }
          break
        case 0:
          input.skip(ftype)
          break
        default:
          input.skip(ftype)
      }
      input.readFieldEnd()
    }
    input.readStructEnd()
    return
  }

  write(output) {
    output.writeStructBegin("TestService_EchoPingPong_result")
    if (this.success !== null && this.success !== undefined) {
      output.writeFieldBegin("success", Thrift.Type.STRUCT, 0)
      this.success.write(output)
      output.writeFieldEnd()
    }
    output.writeFieldStop()
    output.writeStructEnd()
    return
  }
}
const TestService_PutBlob_args = class {
  constructor(args) {
    this.req = null
    if (args) {
      if (args.req !== undefined && args.req !== null) {
        this.req = new Blob(args.req)
      }
    }
  }

  read(input) {
    input.readStructBegin()
    while (true) {
      const ret = input.readFieldBegin()
      const ftype = ret.ftype
      const fid = ret.fid
      if (ftype == Thrift.Type.STOP) {
        break
      }
      switch (fid) {
        case 1:
          if (ftype == Thrift.Type.STRUCT) {
            this.req = new Blob()
            this.req.read(input)
          } else {
            input.skip(ftype)
          }
          break
        case 0:
          input.skip(ftype)
          break
        default:
          input.skip(ftype)
      }
      input.readFieldEnd()
    }
    input.readStructEnd()
    return
  }

  write(output) {
    output.writeStructBegin("TestService_PutBlob_args")
    if (this.req !== null && this.req !== undefined) {
      output.writeFieldBegin("req", Thrift.Type.STRUCT, 1)
      this.req.write(output)
      output.writeFieldEnd()
    }
    output.writeFieldStop()
    output.writeStructEnd()
    return
  }
}
const TestService_PutBlob_result = class {
  constructor(args) {
    this.success = null
    if (args) {
      if (args.success !== undefined && args.success !== null) {
        this.success = new Message(args.success)
      }
    }
  }

  read(input) {
    input.readStructBegin()
    while (true) {
      const ret = input.readFieldBegin()
      const ftype = ret.ftype
      const fid = ret.fid
      if (ftype == Thrift.Type.STOP) {
        break
      }
      switch (fid) {
        case 0:
          if (ftype == Thrift.Type.STRUCT) {
            this.success = new Message()
            this.success.read(input)
          } else {
            input.skip(ftype)
          }
          break
        case 0:
          input.skip(ftype)
          break
        default:
          input.skip(ftype)
      }
      input.readFieldEnd()
    }
    input.readStructEnd()
    return
  }

  write(output) {
    output.writeStructBegin("TestService_PutBlob_result")
    if (this.success !== null && this.success !== undefined) {
      output.writeFieldBegin("success", Thrift.Type.STRUCT, 0)
      this.success.write(output)
      output.writeFieldEnd()
    }
    output.writeFieldStop()
    output.writeStructEnd()
    return
  }
}
export const Client = class TestServiceClient {
  constructor(output, pClass) {
    this.output = output
    this.pClass = pClass
    this._seqid = 0
    this._reqs = {}
  }
  seqid() {
    return this._seqid
  }
  new_seqid() {
    return (this._seqid += 1)
  }

  EchoPingPong(req) {
    this._seqid = this.new_seqid()
    const self = this
    return new Promise((resolve, reject) => {
      self._reqs[self.seqid()] = (error, result) => {
        return error ? reject(error) : resolve(result)
      }
      self.send_EchoPingPong(req)
    })
  }

  send_EchoPingPong(req) {
    const output = new this.pClass(this.output)
    const params = {
      req: req
    }
    const args = new TestService_EchoPingPong_args(params)
    try {
      output.writeMessageBegin("EchoPingPong", Thrift.MessageType.CALL, this.seqid())
      args.write(output)
      output.writeMessageEnd()
      return this.output.flush()
    } catch (e) {
      delete this._reqs[this.seqid()]
      if (typeof output.reset === "function") {
        output.reset()
      }
      throw e
    }
  }

  recv_EchoPingPong(input, mtype, rseqid) {
    const callback = this._reqs[rseqid] || function () {}
    delete this._reqs[rseqid]
    if (mtype == Thrift.MessageType.EXCEPTION) {
      const x = new Thrift.TApplicationException()
      x.read(input)
      input.readMessageEnd()
      return callback(x)
    }
    const result = new TestService_EchoPingPong_result()
    result.read(input)
    input.readMessageEnd()

    if (null !== result.success) {
      return callback(null, result.success)
    }
    return callback("EchoPingPong failed: unknown result")
  }

  PutBlob(req) {
    this._seqid = this.new_seqid()
    const self = this
    return new Promise((resolve, reject) => {
      self._reqs[self.seqid()] = (error, result) => {
        return error ? reject(error) : resolve(result)
      }
      self.send_PutBlob(req)
    })
  }

  send_PutBlob(req) {
    const output = new this.pClass(this.output)
    const params = {
      req: req
    }
    const args = new TestService_PutBlob_args(params)
    try {
      output.writeMessageBegin("PutBlob", Thrift.MessageType.CALL, this.seqid())
      args.write(output)
      output.writeMessageEnd()
      return this.output.flush()
    } catch (e) {
      delete this._reqs[this.seqid()]
      if (typeof output.reset === "function") {
        output.reset()
      }
      throw e
    }
  }

  recv_PutBlob(input, mtype, rseqid) {
    const callback = this._reqs[rseqid] || function () {}
    delete this._reqs[rseqid]
    if (mtype == Thrift.MessageType.EXCEPTION) {
      const x = new Thrift.TApplicationException()
      x.read(input)
      input.readMessageEnd()
      return callback(x)
    }
    const result = new TestService_PutBlob_result()
    result.read(input)
    input.readMessageEnd()

    if (null !== result.success) {
      return callback(null, result.success)
    }
    return callback("PutBlob failed: unknown result")
  }
}
export const Processor = class TestServiceProcessor {
  constructor(handler) {
    this._handler = handler
  }
  process(input, output) {
    const r = input.readMessageBegin()
    if (this["process_" + r.fname]) {
      return this["process_" + r.fname].call(this, r.rseqid, input, output)
    } else {
      input.skip(Thrift.Type.STRUCT)
      input.readMessageEnd()
      const x = new Thrift.TApplicationException(
        Thrift.TApplicationExceptionType.UNKNOWN_METHOD,
        "Unknown function " + r.fname
      )
      output.writeMessageBegin(r.fname, Thrift.MessageType.EXCEPTION, r.rseqid)
      x.write(output)
      output.writeMessageEnd()
      output.flush()
    }
  }
  process_EchoPingPong(seqid, input, output) {
    const args = new TestService_EchoPingPong_args()
    args.read(input)
    input.readMessageEnd()
    if (this._handler.EchoPingPong.length === 1) {
      Promise.resolve(this._handler.EchoPingPong.bind(this._handler)(args.req))
        .then((result) => {
          const result_obj = new TestService_EchoPingPong_result({ success: result })
          output.writeMessageBegin("EchoPingPong", Thrift.MessageType.REPLY, seqid)
          result_obj.write(output)
          output.writeMessageEnd()
          output.flush()
        })
        .catch((err) => {
          let result
          result = new Thrift.TApplicationException(Thrift.TApplicationExceptionType.UNKNOWN, err.message)
          output.writeMessageBegin("EchoPingPong", Thrift.MessageType.EXCEPTION, seqid)
          result.write(output)
          output.writeMessageEnd()
          output.flush()
        })
    } else {
      this._handler.EchoPingPong(args.req, (err, result) => {
        let result_obj
        if (err === null || typeof err === "undefined") {
          result_obj = new TestService_EchoPingPong_result(
            err !== null || typeof err === "undefined" ? err : { success: result }
          )
          output.writeMessageBegin("EchoPingPong", Thrift.MessageType.REPLY, seqid)
        } else {
          result_obj = new Thrift.TApplicationException(Thrift.TApplicationExceptionType.UNKNOWN, err.message)
          output.writeMessageBegin("EchoPingPong", Thrift.MessageType.EXCEPTION, seqid)
        }
        result_obj.write(output)
        output.writeMessageEnd()
        output.flush()
      })
    }
  }
  process_PutBlob(seqid, input, output) {
    const args = new TestService_PutBlob_args()
    args.read(input)
    input.readMessageEnd()
    if (this._handler.PutBlob.length === 1) {
      Promise.resolve(this._handler.PutBlob.bind(this._handler)(args.req))
        .then((result) => {
          const result_obj = new TestService_PutBlob_result({ success: result })
          output.writeMessageBegin("PutBlob", Thrift.MessageType.REPLY, seqid)
          result_obj.write(output)
          output.writeMessageEnd()
          output.flush()
        })
        .catch((err) => {
          let result
          result = new Thrift.TApplicationException(Thrift.TApplicationExceptionType.UNKNOWN, err.message)
          output.writeMessageBegin("PutBlob", Thrift.MessageType.EXCEPTION, seqid)
          result.write(output)
          output.writeMessageEnd()
          output.flush()
        })
    } else {
      this._handler.PutBlob(args.req, (err, result) => {
        let result_obj
        if (err === null || typeof err === "undefined") {
          result_obj = new TestService_PutBlob_result(
            err !== null || typeof err === "undefined" ? err : { success: result }
          )
          output.writeMessageBegin("PutBlob", Thrift.MessageType.REPLY, seqid)
        } else {
          result_obj = new Thrift.TApplicationException(Thrift.TApplicationExceptionType.UNKNOWN, err.message)
          output.writeMessageBegin("PutBlob", Thrift.MessageType.EXCEPTION, seqid)
        }
        result_obj.write(output)
        output.writeMessageEnd()
        output.flush()
      })
    }
  }
}
