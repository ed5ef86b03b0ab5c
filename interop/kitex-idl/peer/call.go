package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cloudwego/kitex/client/streamclient"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	b "millrace.dev/interop/idl/kitex_gen/a/b"
	"millrace.dev/interop/idl/kitex_gen/millrace/dotted/user_api"
	"millrace.dev/interop/idl/kitex_gen/millrace/dotted/user_api/auditservice"
)

// The server answers with a user whose id is one more than that of the request, and with a page that has the size of the request's page or
// the id of the user.
const asked = b.UserId(41)

func find(id b.UserId) *user_api.Find { return &user_api.Find{Id: &id, Page: &b.Page{Size: 3}} }

func isUser(user *user_api.User, err error, id b.UserId) error {
	if err != nil {
		return err
	}
	if user.Id != id || user.Status != b.Status_active || user.InvitedBy == nil || user.InvitedBy.Id != 1 {
		return fmt.Errorf("not the user that was asked for: %v", user)
	}
	return nil
}

func isPage(page *b.Page, err error, size int32) error {
	if err != nil {
		return err
	}
	if page.Size != size || page.GetAfter() != "here" {
		return fmt.Errorf("not the page that was asked for: %v", page)
	}
	return nil
}

func isEnd(err error) error {
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("expected the end of the stream: %v", err)
	}
	return nil
}

type client = auditservice.StreamClient

func unary(ctx context.Context, c client) error {
	user, err := c.GetUser(ctx, find(asked))
	if err := isUser(user, err, asked+1); err != nil {
		return err
	}
	_, err = c.GetUser(ctx, find(-1))
	var missing *b.NotFound
	if !errors.As(err, &missing) || missing.Id != -1 {
		return fmt.Errorf("expected the declared exception: %v", err)
	}
	return nil
}

func watchAll(ctx context.Context, c client) error {
	st, err := c.WatchAll(ctx, &b.Page{Size: 3})
	if err != nil {
		return err
	}
	for range 3 {
		page, err := st.Recv()
		if err := isPage(page, err, 3); err != nil {
			return err
		}
	}
	_, err = st.Recv()
	return isEnd(err)
}

func watch(ctx context.Context, c client) error {
	st, err := c.Watch(ctx, find(asked))
	if err != nil {
		return err
	}
	for range 3 {
		user, err := st.Recv()
		if err := isUser(user, err, asked+1); err != nil {
			return err
		}
	}
	_, err = st.Recv()
	return isEnd(err)
}

func upload(ctx context.Context, c client) error {
	st, err := c.Upload(ctx)
	if err != nil {
		return err
	}
	for i := range 3 {
		if err := st.Send(&user_api.User{Id: asked + b.UserId(i)}); err != nil {
			return err
		}
	}
	last, err := st.CloseAndRecv()
	if err != nil {
		return err
	}
	if last.GetId() != asked+2 {
		return fmt.Errorf("not the last user: %v", last)
	}
	return nil
}

func talk(ctx context.Context, c client) error {
	st, err := c.Talk(ctx)
	if err != nil {
		return err
	}
	for i := range b.UserId(3) {
		if err := st.Send(find(i)); err != nil {
			return err
		}
		user, err := st.Recv()
		if err := isUser(user, err, i+1); err != nil {
			return err
		}
	}
	if err := st.Close(); err != nil {
		return err
	}
	_, err = st.Recv()
	return isEnd(err)
}

func stream(ctx context.Context, c client) error {
	st, err := c.Stream(ctx)
	if err != nil {
		return err
	}
	for i := range b.UserId(3) {
		if err := st.Send(&user_api.User{Id: i}); err != nil {
			return err
		}
		page, err := st.Recv()
		if err := isPage(page, err, int32(i)); err != nil {
			return err
		}
	}
	if err := st.Close(); err != nil {
		return err
	}
	_, err = st.Recv()
	return isEnd(err)
}

// call calls every streaming method of auditService, its own and those it has from the two services above it.
func call(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := auditservice.NewStreamClient("audit",
		streamclient.WithHostPorts(address),
		streamclient.WithClientBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: "idl-go-client"}),
	)
	if err != nil {
		return err
	}
	for name, try := range map[string]func(context.Context, client) error{
		"get_user": unary, "watch_all": watchAll, "watch": watch, "upload": upload, "talk": talk, "stream": stream,
	} {
		if err := try(ctx, c); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
