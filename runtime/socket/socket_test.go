package socket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/socket"
)

// pair gives both ends of a connection.
func pair(t testing.TB) (near *socket.Conn, far *net.TCPConn) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { done(t, l.Close()) }()
	dialed, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	near, far = socket.Wrap(dialed).(*socket.Conn), accepted.(*net.TCPConn)
	t.Cleanup(func() { _, _ = near.Close(), far.Close() }) // a test may have closed them
	return near, far
}

// done wants something to have been done.
func done(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// moved wants bytes to have been read or written.
func moved(t testing.TB) func(n int, err error) {
	return func(n int, err error) {
		t.Helper()
		if n == 0 || err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func noise(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

func TestBytesComeAsTheyWereSent(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 4096, 64 << 10, 64<<10 + 1, 20 << 20} {
		near, far := pair(t)
		want := noise(size)
		var sent sync.WaitGroup
		sent.Go(func() {
			if n, err := near.Write(want); n != size || err != nil {
				t.Errorf("%d bytes: %d were sent: %v", size, n, err)
			}
			half := size / 3
			if n, err := near.WriteBoth(want[:half], want[half:]); n != size || err != nil {
				t.Errorf("%d bytes in two pieces: %d were sent: %v", size, n, err)
			}
			done(t, near.CloseWrite())
		})
		got, err := io.ReadAll(far)
		if err != nil || !bytes.Equal(got, append(bytes.Clone(want), want...)) {
			t.Errorf("%d bytes: %d came, or others: %v", size, len(got), err)
		}
		sent.Wait()
	}
}

// TestAFullPipe writes short pieces faster than they are taken: each is sent in parts, and waits between them.
func TestAFullPipe(t *testing.T) {
	t.Parallel()
	near, far := pair(t)
	done(t, near.SetWriteBuffer(16<<10)) // less than a piece
	piece := noise(50 << 10)
	const pieces = 200
	go func() {
		for range pieces {
			moved(t)(near.WriteBoth(piece[:100], piece[100:]))
		}
		done(t, near.CloseWrite())
	}()
	for i := range pieces {
		got := make([]byte, len(piece))
		if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, piece) {
			t.Fatalf("piece %d is not what was sent: %v", i, err)
		}
	}
	if n, err := far.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("after the last piece came %d bytes, %v", n, err)
	}
}

// TestFailures compares with what the standard library says.
func TestFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(c net.Conn, near, far *net.TCPConn) (int, error)
		want error
	}{
		"a deadline while reading": {func(c net.Conn, near, _ *net.TCPConn) (int, error) {
			done(t, near.SetReadDeadline(time.Now().Add(5*time.Millisecond)))
			return c.Read(make([]byte, 1))
		}, os.ErrDeadlineExceeded},
		"a deadline while writing": {func(c net.Conn, near, _ *net.TCPConn) (int, error) {
			done(t, near.SetWriteBuffer(4<<10))
			done(t, near.SetWriteDeadline(time.Now().Add(20*time.Millisecond)))
			for {
				if _, err := c.Write(make([]byte, 60<<10)); err != nil {
					return 0, err
				}
			}
		}, os.ErrDeadlineExceeded},
		"closed while reading": {func(c net.Conn, near, _ *net.TCPConn) (int, error) {
			time.AfterFunc(5*time.Millisecond, func() { done(t, near.Close()) })
			return c.Read(make([]byte, 1))
		}, net.ErrClosed},
		"closed before writing": {func(c net.Conn, near, _ *net.TCPConn) (int, error) {
			done(t, near.Close())
			return c.Write(make([]byte, 1))
		}, net.ErrClosed},
		"reset while reading": {func(c net.Conn, _, far *net.TCPConn) (int, error) {
			done(t, far.SetLinger(0))
			done(t, far.Close())
			return c.Read(make([]byte, 1))
		}, syscall.ECONNRESET},
		"written to nobody": {func(c net.Conn, _, far *net.TCPConn) (int, error) {
			done(t, far.SetLinger(0))
			done(t, far.Close())
			if _, err := c.Read(make([]byte, 1)); err == nil {
				t.Error("there is something to read")
			}
			return c.Write(make([]byte, 1))
		}, syscall.EPIPE},
	} {
		near, far := pair(t)
		_, err := c.do(near, near.TCPConn, far)
		plain, other := pair(t)
		_, reference := c.do(plain.TCPConn, plain.TCPConn, other)
		for of, err := range map[string]error{"ours": err, "the standard library's": reference} {
			var op *net.OpError
			if !errors.Is(err, c.want) || !errors.As(err, &op) || op.Addr == nil || op.Source == nil {
				t.Errorf("%s, %s: %#v, want one of an operation that is %v", name, of, err, c.want)
			}
		}
		var ours, theirs *net.OpError
		if errors.As(err, &ours) && errors.As(reference, &theirs) && (ours.Op != theirs.Op || ours.Timeout() != theirs.Timeout() || ours.Err.Error() != theirs.Err.Error()) {
			t.Errorf("%s: %v, and the standard library says %v", name, ours, theirs)
		}
	}
}

// TestManyAtOnce has several goroutines write: no piece is torn.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	near, far := pair(t)
	done(t, near.SetWriteBuffer(16<<10)) // less than a piece, so that one waits in the middle of it
	const writers, rounds, size = 8, 50, 20_000
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			piece := bytes.Repeat([]byte{byte('a' + i)}, size)
			for range rounds {
				if _, err := near.WriteBoth(piece[:i], piece[i:]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() { all.Wait(); done(t, near.CloseWrite()) }()
	got, err := io.ReadAll(far)
	if err != nil || len(got) != writers*rounds*size {
		t.Fatalf("%d bytes came: %v", len(got), err)
	}
	for at := 0; at < len(got); at += size {
		if piece := got[at : at+size]; !bytes.Equal(piece, bytes.Repeat(piece[:1], size)) {
			t.Fatalf("the piece at %d is torn", at)
		}
	}
}

// TestWhatIsNotForThese has no numbers of sockets given away, and leaves other connections as they are.
func TestWhatIsNotForThese(t *testing.T) {
	t.Parallel()
	near, _ := pair(t)
	if f, err := near.File(); f != nil || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("it gives %v, %v", f, err)
	}
	one, other := net.Pipe()
	if socket.Wrap(one) != one || socket.Wrap(nil) != nil {
		t.Error("it wraps what is no TCP connection")
	}
	done(t, one.Close())
	done(t, other.Close())
}

func TestNoMemory(t *testing.T) {
	near, far := pair(t)
	piece, b, count := noise(100), make([]byte, 100), moved(t)
	allocations := testing.AllocsPerRun(100, func() {
		count(near.WriteBoth(piece[:10], piece[10:]))
		count(io.ReadFull(far, b))
		count(far.Write(b))
		count(io.ReadFull(near, b))
	})
	if allocations >= 1 && !detecting {
		t.Errorf("a way there and back takes %v allocations", allocations)
	}
}

func BenchmarkWayAndBack(b *testing.B) {
	for name, wrap := range map[string]func(*socket.Conn) net.Conn{
		"ours":  func(c *socket.Conn) net.Conn { return c },
		"plain": func(c *socket.Conn) net.Conn { return c.TCPConn },
	} {
		b.Run(name, func(b *testing.B) {
			b.RunParallel(func(p *testing.PB) {
				near, far := pair(b)
				go func() { _, _ = io.Copy(struct{ io.Writer }{far}, struct{ io.Reader }{far}) }()
				c, buffer, count := wrap(near), noise(400), moved(b)
				for p.Next() {
					count(c.Write(buffer))
					count(io.ReadFull(c, buffer))
				}
			})
		})
	}
}
