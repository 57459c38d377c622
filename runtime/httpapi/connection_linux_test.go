package httpapi_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// segments gives how many segments with data have come on a connection: over loopback, one for each call that sent
// them, up to half a window.
func segments(t *testing.T, conn net.Conn) int {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info *unix.TCPInfo
	if controlled := raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }); controlled != nil || err != nil {
		t.Fatal(controlled, err)
	}
	return int(info.Data_segs_in)
}

func TestALargeAnswerIsOneWrite(t *testing.T) {
	t.Parallel()
	s := serveRoutes(t, nil, map[string]http.HandlerFunc{"/length": func(w http.ResponseWriter, r *http.Request) {
		size, _ := strconv.Atoi(r.URL.Query().Get("size"))
		w.Header().Set("Content-Length", strconv.Itoa(size))
		_, _ = w.Write(make([]byte, size))
	}})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	reader := bufio.NewReader(conn)
	for _, size := range []int{100, 3000, 3800, 4000, 4096, 6000, 8192, 12000, 24000} {
		before := segments(t, conn)
		write(t, conn, "GET /length?size="+strconv.Itoa(size)+" HTTP/1.1\r\nHost: x\r\n\r\n")
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, response.Body); n != int64(size) || err != nil {
			t.Fatalf("of %d bytes %d came: %v", size, n, err)
		}
		if got := segments(t, conn) - before; got != 1 {
			t.Errorf("%d bytes came in %d segments", size, got)
		}
	}
}
