package postgres

import (
	"context"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/runtime/socket"
)

// silence is how long the other end of a connection may leave what was sent without a sign that it came. A line on
// which everything is dropped, as after a failover or behind a firewall that has forgotten it, says nothing else.
const silence = 4 * time.Second

// dialer gives connections on which silence is noticed, also while a long statement runs. It is the kernel at the other
// end that answers, as long as it has room for what comes.
func dialer(timeout time.Duration) pgconn.DialFunc {
	d := net.Dialer{
		Timeout:         timeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence, Interval: silence / 2, Count: 2},
		Control:         noticeSilence,
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return socket.Wrap(c), nil
	}
}
