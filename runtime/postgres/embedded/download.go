//go:build unix

package embedded

import (
	"context"
	"crypto/sha1" //nolint:gosec // what older artifacts of the repository come with; it guards against damage, TLS against strangers
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

type release struct {
	major   int
	version string
}

// releases are the builds that are downloaded, by major version; the first is for new clusters.
var releases = []release{{18, "18.3.0"}, {17, "17.5.0"}, {16, "16.9.0"}, {15, "15.13.0"}, {14, "14.18.0"}}

const (
	largestArchive = 512 << 20 // bytes of an archive, and of a file in it: the builds have some 20 MB
	largestDigest  = 1 << 10
)

// digests are tried in this order; an archive without any is refused.
var digests = []struct {
	suffix string
	make   func() hash.Hash
}{{".sha512", sha512.New}, {".sha256", sha256.New}, {".sha1", sha1.New}}

// platform is this machine's name in the repository.
func platform() string {
	name := runtime.GOOS + "-" + runtime.GOARCH
	if runtime.GOARCH == "arm64" {
		name += "v8"
	}
	if _, err := os.Stat("/etc/alpine-release"); err == nil {
		name += "-alpine"
	}
	return name
}

// download gives the programs of a major version (0: the newest), fetched once into the user's cache. It
// stands there whole or not at all, also when two processes come at once.
func download(ctx context.Context, o Options, who *account, wanted int) (Binaries, error) {
	i := slices.IndexFunc(releases, func(r release) bool { return wanted == 0 || r.major == wanted })
	if i < 0 {
		return Binaries{}, fmt.Errorf("there is no build of PostgreSQL %d to download", wanted)
	}
	chosen := releases[i]
	cache, err := cacheFolder(o, who)
	if err != nil {
		return Binaries{}, err
	}
	unlock, err := lockFile(ctx, filepath.Join(cache, "lock"))
	if err != nil {
		return Binaries{}, fmt.Errorf("lock the cache %s: %w", cache, err)
	}
	defer unlock()
	target := filepath.Join(cache, "postgresql-"+chosen.version+"-"+platform())
	programs := Binaries{Dir: filepath.Join(target, "bin"), Major: chosen.major}
	if _, err := os.Stat(programs.Path("postgres")); err == nil {
		return programs, nil
	}
	name := "embedded-postgres-binaries-" + platform()
	address := strings.TrimSuffix(o.Repository, "/") + "/" + path.Join("io/zonky/test/postgres", name, chosen.version, name+"-"+chosen.version+".jar")
	o.Log.Info("downloading PostgreSQL: this machine has none", slog.String("version", chosen.version), slog.String("from", o.Repository))
	began := time.Now()
	scratch, err := os.MkdirTemp(cache, "download-")
	if err != nil {
		return Binaries{}, fmt.Errorf("make room in the cache: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }() // what is left of a failure is only in the way
	archive := filepath.Join(scratch, "archive")
	if err := fetch(ctx, address, archive); err != nil {
		return Binaries{}, err
	}
	unpacked := filepath.Join(scratch, "unpacked")
	if err := unpack(archive, unpacked); err != nil {
		return Binaries{}, fmt.Errorf("unpack %s: %w", address, err)
	}
	if err := os.Rename(unpacked, target); err != nil {
		return Binaries{}, fmt.Errorf("keep what was downloaded: %w", err)
	}
	o.Log.Info("PostgreSQL is downloaded", slog.String("dir", target), slog.Duration("after", time.Since(began)))
	return programs, nil
}

// cacheFolder is where programs are kept: below the user's cache, or where the account that we drop to
// cannot enter that, in the machine's.
func cacheFolder(o Options, who *account) (string, error) {
	dir := o.Cache
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("find the user's cache: %w", err)
		}
		dir = filepath.Join(user, "fraiseql")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the cache: %w", err)
	}
	if who == nil || who.canEnter(dir) {
		return dir, nil
	}
	dir = "/var/cache/fraiseql"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the cache: %w", err)
	}
	return dir, nil
}

// fetch copies an address to a file and holds it against its digest.
func fetch(ctx context.Context, address, file string) error {
	body, err := request(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	sums := make([]hash.Hash, len(digests))
	writers := []io.Writer{out}
	for i, d := range digests {
		sums[i] = d.make()
		writers = append(writers, sums[i])
	}
	n, err := io.Copy(io.MultiWriter(writers...), io.LimitReader(body, largestArchive))
	if err == nil && n == largestArchive {
		err = errors.New("it is far larger than PostgreSQL")
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("download %s: %w", address, err)
	}
	return verify(ctx, address, sums)
}

// verify asks for the digests that the repository has and wants the first one to agree.
func verify(ctx context.Context, address string, sums []hash.Hash) error {
	for i, d := range digests {
		body, err := request(ctx, address+d.suffix)
		var status statusError
		if errors.As(err, &status) && status.code == http.StatusNotFound {
			continue
		}
		if err != nil {
			return err
		}
		text, err := io.ReadAll(io.LimitReader(body, largestDigest))
		_ = body.Close()
		if err != nil {
			return fmt.Errorf("download %s%s: %w", address, d.suffix, err)
		}
		want, _, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
		if got := hex.EncodeToString(sums[i].Sum(nil)); !strings.EqualFold(got, want) {
			return fmt.Errorf("download %s: its digest is %s, but the repository's%s says %s", address, got, d.suffix, want)
		}
		return nil
	}
	return fmt.Errorf("download %s: the repository has no digest to check it by", address)
}

type statusError struct {
	address string
	code    int
}

func (e statusError) Error() string {
	return fmt.Sprintf("download %s: the repository answers %d", e.address, e.code)
}

// stalled is how long the repository may keep silent before its answer begins.
const stalled = 30 * time.Second

func request(ctx context.Context, address string) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = stalled
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, statusError{address, response.StatusCode}
	}
	return response.Body, nil
}
