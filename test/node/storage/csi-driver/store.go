package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// What a subvolume is: a volume, or a snapshot where Source is set. One JSON file each, beside the subvolume, so that
// handles survive a restart.
type record struct {
	Handle string `json:"handle"`
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	Block  bool   `json:"block"`
	// NAMESPACE/NAME of the claim that it was made for, or that it was cut from.
	Claim string `json:"claim"`
	// Handle of the volume that a snapshot was cut from.
	Source string `json:"source,omitempty"`
	Group  string `json:"group,omitempty"`
	// Name of the group as it was asked for; asking again finds it.
	GroupName string    `json:"groupName,omitempty"`
	Created   time.Time `json:"created"`
	// Target paths at which a volume is published now.
	Published []string `json:"published,omitempty"`
}

func (r *record) isSnapshot() bool { return r.Source != "" }

// Whoever changes anything holds the lock; btrfs needs a few milliseconds for each.
type store struct {
	sync.Mutex
	folder string
}

func openStore(folder string) (*store, error) {
	for _, name := range []string{"records", "data"} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o700); err != nil {
			return nil, err
		}
	}
	return &store{folder: folder}, nil
}

func (s *store) data(handle string) string { return filepath.Join(s.folder, "data", handle) }

// The name tells whose loop device it is, when nothing else is left of a node.
func (s *store) disk(handle string) string {
	return filepath.Join(s.data(handle), filepath.Base(s.folder)+".disk")
}

func (s *store) file(handle string) string {
	return filepath.Join(s.folder, "records", filepath.Base(handle)+".json")
}

// Nil when there is none.
func (s *store) find(handle string) (*record, error) {
	text, err := os.ReadFile(s.file(handle))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := &record{}
	return found, json.Unmarshal(text, found)
}

func (s *store) all() ([]*record, error) {
	paths, err := filepath.Glob(filepath.Join(s.folder, "records", "*.json"))
	if err != nil {
		return nil, err
	}
	records := []*record{}
	for _, path := range paths {
		found, err := s.find(strings.TrimSuffix(filepath.Base(path), ".json"))
		if err != nil {
			return nil, err
		}
		if found != nil {
			records = append(records, found)
		}
	}
	return records, nil
}

func (s *store) write(r *record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	draft := s.file(r.Handle) + ".draft"
	if err := os.WriteFile(draft, text, 0o600); err != nil {
		return err
	}
	return os.Rename(draft, s.file(r.Handle))
}

// Empty, or a copy of another's data that shares its blocks. The record comes last: without it there is nothing.
func (s *store) create(r *record, from string, readOnly bool) error {
	if _, err := os.Stat(s.data(r.Handle)); err == nil {
		if err := run("btrfs", "subvolume", "delete", s.data(r.Handle)); err != nil {
			return err
		}
	}
	var err error
	switch {
	case from == "":
		err = run("btrfs", "subvolume", "create", s.data(r.Handle))
	case readOnly:
		err = run("btrfs", "subvolume", "snapshot", "-r", s.data(from), s.data(r.Handle))
	default:
		err = run("btrfs", "subvolume", "snapshot", s.data(from), s.data(r.Handle))
	}
	if err != nil {
		return err
	}
	r.Created = time.Now()
	if r.Block && !readOnly {
		err = resize(s.disk(r.Handle), r.Bytes)
	}
	if err != nil {
		return err
	}
	return s.write(r)
}

func (s *store) remove(handle string) error {
	found, err := s.find(handle)
	if err != nil || found == nil {
		return err
	}
	if err := os.Remove(s.file(handle)); err != nil {
		return err
	}
	return run("btrfs", "subvolume", "delete", s.data(handle))
}

func resize(path string, bytes int64) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Truncate(bytes)
}

func run(command string, arguments ...string) error {
	_, err := output(command, arguments...)
	return err
}

func output(command string, arguments ...string) (string, error) {
	text, err := exec.Command(command, arguments...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", command, strings.Join(arguments, " "), err, text)
	}
	return strings.TrimSpace(string(text)), nil
}
