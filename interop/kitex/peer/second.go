package peer

import (
	"context"
	"io"
	"strconv"

	"millrace.dev/interop/kitex_gen/millrace/interop"
	"millrace.dev/interop/kitex_gen/millrace/second"
)

// Second implements SecondService: every answer says who gave it.
type Second struct{}

func tell(text string) *interop.Response { return &interop.Response{Message: Ptr("second: " + text)} }

func (Second) Bidi(st second.SecondService_BidiServer) error {
	for {
		req, err := st.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := st.Send(tell(req.GetMessage())); err != nil {
			return err
		}
	}
}

func (Second) Client(st second.SecondService_ClientServer) error {
	for n := 0; ; n++ {
		_, err := st.Recv()
		if err == io.EOF {
			return st.SendAndClose(tell(strconv.Itoa(n)))
		}
		if err != nil {
			return err
		}
	}
}

func (Second) Server(req *interop.Request, st second.SecondService_ServerServer) error {
	for range req.GetCount() {
		if err := st.Send(tell(req.GetMessage())); err != nil {
			return err
		}
	}
	return nil
}

func (Second) Unary(ctx context.Context, req *interop.Request) (*interop.Response, error) {
	return tell(req.GetMessage()), nil
}
