// Package trusted reads the documents that a project trusts: files *.graphql and the manifests that compilers of clients
// write. A request names one of them in place of sending a text.
package trusted

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Documents are those of a folder. A nil *Documents has none.
type Documents struct {
	list []*Document
	byID map[string]*Document
}

// Document is one of them.
type Document struct {
	File string // below the folder, with what it is called in a manifest
	Text string
	id   string // without a prefix
}

// prefix stands before an id that is the SHA-256 of its text (GraphQL over HTTP, appendix on persisted documents).
const prefix = "sha256:"

// Len tells how many documents there are.
func (d *Documents) Len() int { return len(d.All()) }

// All gives the documents in the order of their files.
func (d *Documents) All() []*Document {
	if d == nil {
		return nil
	}
	return d.list
}

// Text gives the text that an id names, with its prefix or without.
func (d *Documents) Text(id string) (text string, known bool) {
	if d == nil {
		return "", false
	}
	found := d.byID[strings.TrimPrefix(id, prefix)]
	if found == nil {
		return "", false
	}
	return found.Text, true
}

// Read reads all documents of a folder and of those in it, but for what a name that begins with a dot hides. Its error is
// a fault that says which file is to be mended.
func Read(dir string) (*Documents, error) {
	dir, err := folder(dir)
	if err != nil {
		return nil, err
	}
	d := &Documents{byID: map[string]*Document{}}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return unreadable(path, err)
		}
		hidden := path != dir && strings.HasPrefix(entry.Name(), ".")
		switch {
		case hidden && entry.IsDir():
			return fs.SkipDir
		case hidden || entry.IsDir():
			return nil
		}
		return d.read(dir, path)
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(d.list, func(a, b *Document) int { return cmp.Compare(a.File, b.File) })
	return d, nil
}

// folder finds a folder where a link leads to it: walking follows none.
func folder(dir string) (string, error) {
	found, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", unreadable(dir, err)
	}
	info, err := os.Stat(found)
	if err == nil && !info.IsDir() {
		err = errors.New("it is not a folder")
	}
	if err != nil {
		return "", unreadable(dir, err)
	}
	return found, nil
}

func unreadable(path string, err error) error {
	return fault.Wrap(fault.Invalid, "graphql/documents-unreadable", "`"+path+"` of the trusted documents cannot be read", err).
		WithHint("let this user read it, or name another folder: [graphql.persisted] dir")
}

// read takes what one file has. Other kinds of files may lie beside.
func (d *Documents) read(dir, path string) error {
	extension := filepath.Ext(path)
	if extension != ".graphql" && extension != ".json" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return unreadable(path, err)
	}
	file, err := filepath.Rel(dir, path)
	if err != nil {
		return unreadable(path, err)
	}
	if extension == ".graphql" {
		return d.add(&Document{File: file, Text: string(text), id: digest(string(text))})
	}
	listed, err := manifest(file, text)
	if err != nil {
		return err
	}
	for _, one := range listed {
		if err := d.add(one); err != nil {
			return err
		}
	}
	return nil
}

// add takes a document by its id and by the digest of its text. Compilers may list the same text again; two texts of one
// id cannot be meant.
func (d *Documents) add(one *Document) error {
	sum := digest(one.Text)
	if claimed, says := strings.CutPrefix(one.id, prefix); says && claimed != sum {
		return fault.New(fault.Invalid, "graphql/document-digest", fmt.Sprintf("the id of %s in the trusted documents is not the SHA-256 of its text, which is %s", one.File, sum)).
			WithHint("make the manifest again with the compiler that wrote it")
	}
	one.id = strings.TrimPrefix(one.id, prefix)
	fresh := false
	for _, id := range []string{one.id, sum} {
		switch other := d.byID[id]; {
		case other == nil:
			d.byID[id], fresh = one, true
		case other.Text != one.Text:
			return fault.New(fault.Invalid, "graphql/document-twice", fmt.Sprintf("%s and %s in the trusted documents have the id `%s`, and different texts", other.File, one.File, id)).
				WithHint("remove one of the two")
		}
	}
	if fresh {
		d.list = append(d.list, one)
	}
	return nil
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
