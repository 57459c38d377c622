//go:build unix

package embedded_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres/embedded"
)

// member is a file of an archive.
type member struct{ name, content, link string }

// archive packs files as the repository does: a tar by xz in a zip.
func archive(t *testing.T, members ...member) []byte {
	t.Helper()
	var packed bytes.Buffer
	x, err := xz.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	files := tar.NewWriter(x)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: 0o755, Size: int64(len(m.content)), Typeflag: tar.TypeReg}
		if m.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, m.link
		}
		if err := files.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(files, m.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	var whole bytes.Buffer
	z := zip.NewWriter(&whole)
	w, err := z.Create("postgres-linux-x86_64.txz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(packed.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return whole.Bytes()
}

// installed packs the programs of this machine.
func installed(t *testing.T) []byte {
	t.Helper()
	found := embedded.Find(t.Context())
	if len(found) == 0 {
		t.Fatal("this test packs the programs of this machine, which has none")
	}
	above := filepath.Dir(found[0].Dir)
	files := []string{found[0].Path("initdb"), found[0].Path("postgres")}
	for _, libraries := range []string{"lib/*.so", "lib/postgresql/*.so", "lib/postgresql/*.dylib"} { // a server looks for them beside itself
		matches, _ := filepath.Glob(filepath.Join(above, libraries))
		files = append(files, matches...)
	}
	var members []member
	for _, file := range files {
		if strings.Contains(file, "llvmjit") {
			continue // large, and not needed
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		inside, err := filepath.Rel(above, file)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, member{name: "./" + inside, content: string(content)})
	}
	return archive(t, append(members, member{name: "lib/libpq.so", link: "libpq.so.5"})...)
}

// repository serves one archive under every address, with this digest unless that is empty.
func repository(t *testing.T, archive []byte, digest string) (address string, downloads *atomic.Int64) {
	t.Helper()
	downloads = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, ".jar") && archive != nil:
			downloads.Add(1)
			_, _ = w.Write(archive)
		case strings.HasSuffix(r.URL.Path, ".jar.sha256") && digest != "":
			_, _ = io.WriteString(w, digest+"\n")
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, downloads
}

func digestOf(archive []byte) string {
	sum := sha256.Sum256(archive)
	return hex.EncodeToString(sum[:])
}

// shared gives a folder that every account can enter.
func shared(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "fraiseql-download-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func bare(dir, cache, repository string) embedded.Options {
	return embedded.Options{
		Dir: filepath.Join(dir, "postgres"), Unsafe: true,
		Places: []string{"/nowhere"}, Cache: cache, Repository: repository,
	}
}

// TestAMachineWithoutPostgreSQLDownloadsItOnce starts two clusters at once, and one more when the
// repository has gone.
func TestAMachineWithoutPostgreSQLDownloadsItOnce(t *testing.T) {
	t.Parallel()
	packed, cache := installed(t), shared(t)
	address, downloads := repository(t, packed, digestOf(packed))
	start := func(from string) {
		c, err := embedded.Start(context.WithoutCancel(t.Context()), bare(shared(t), cache, from))
		if err != nil {
			t.Error(err)
			return
		}
		if got := query(t, c.URL(embedded.Database), "select 'it works'"); got != "it works" {
			t.Errorf("the server answers %q", got)
		}
		if !strings.HasPrefix(c.Binaries.Dir, cache) {
			t.Errorf("it runs the programs in %s", c.Binaries.Dir)
		}
		if err := c.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}
	var both sync.WaitGroup
	both.Go(func() { start(address) })
	both.Go(func() { start(address) })
	both.Wait()
	start("http://127.0.0.1:1")
	if n := downloads.Load(); n != 1 {
		t.Errorf("it was downloaded %d times", n)
	}
}

func TestADownloadThatIsNotRightIsRefused(t *testing.T) {
	t.Parallel()
	good := archive(t, member{name: "bin/initdb", content: "#!/bin/sh\n"}, member{name: "bin/postgres", content: "#!/bin/sh\n"})
	leaves := archive(t, member{name: "../../leaves", content: "x"}, member{name: "bin/initdb", content: "x"}, member{name: "bin/postgres", content: "x"})
	byLink := archive(t, member{name: "out", link: "/tmp"}, member{name: "out/fraiseql-leaves", content: "x"})
	for name, c := range map[string]struct {
		archive []byte
		digest  string
		because string
	}{
		"not there":        {nil, "", "the repository answers 404"},
		"another digest":   {good, digestOf(leaves), "its digest is " + digestOf(good)},
		"no digest":        {good, "", "no digest to check it by"},
		"no archive":       {[]byte("<html>"), digestOf([]byte("<html>")), "not a valid zip file"},
		"no programs":      {archive(t, member{name: "readme", content: "x"}), "", "no digest"},
		"a file outside":   {leaves, digestOf(leaves), "path escapes"},
		"outside by links": {byLink, digestOf(byLink), "path escapes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache := shared(t)
			address, _ := repository(t, c.archive, c.digest)
			_, err := embedded.Start(t.Context(), bare(shared(t), cache, address))
			known, ok := fault.As(err)
			if !ok || known.Kind != fault.Unavailable || known.Cause == nil || !strings.Contains(known.Cause.Error(), c.because) || !strings.Contains(known.Hint, "apt-get install postgresql") {
				t.Errorf("the error is %v", err)
			}
			left, _ := filepath.Glob(filepath.Join(cache, "*"))
			if len(left) != 1 || filepath.Base(left[0]) != "lock" {
				t.Errorf("the cache keeps %v", left)
			}
		})
	}
	if _, err := os.Stat("/tmp/fraiseql-leaves"); err == nil {
		t.Error("a file was written outside of the cache")
	}
}
