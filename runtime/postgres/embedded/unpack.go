//go:build unix

package embedded

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/ulikunitz/xz"
)

// unpack takes the tar out of the archive and its files to a folder that none of them can leave.
func unpack(archive, folder string) error {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer func() { _ = z.Close() }()
	i := slices.IndexFunc(z.File, func(f *zip.File) bool { return strings.HasSuffix(f.Name, ".txz") })
	if i < 0 {
		return errors.New("it has no .txz inside")
	}
	packed, err := z.File[i].Open()
	if err != nil {
		return err
	}
	defer func() { _ = packed.Close() }()
	plain, err := xz.NewReader(packed)
	if err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	if err := extract(root, tar.NewReader(plain)); err != nil {
		return err
	}
	for _, program := range []string{"bin/initdb", "bin/postgres"} {
		if _, err := root.Stat(program); err != nil {
			return fmt.Errorf("it has no %s", program)
		}
	}
	return nil
}

func extract(root *os.Root, files *tar.Reader) error {
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := path.Clean(h.Name)
		if name == "." {
			continue
		}
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeSymlink:
			err = root.Symlink(h.Linkname, name)
		case tar.TypeReg:
			err = extractFile(root, name, fs.FileMode(h.Mode).Perm()|0o444, files)
		}
		if err != nil {
			return err
		}
	}
}

func extractFile(root *os.Root, name string, mode fs.FileMode, content io.Reader) error {
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	n, err := io.Copy(out, io.LimitReader(content, largestArchive))
	if err == nil && n == largestArchive {
		err = fmt.Errorf("%s is far larger than anything of PostgreSQL", name)
	}
	return errors.Join(err, out.Close())
}
