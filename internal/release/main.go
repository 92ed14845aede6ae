package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

// version is the version that the next tag carries, the same for every module.
const version = "v0.1.0"

func main() {
	out := flag.String("out", "", "folder to write the proxy to")
	root := flag.String("root", ".", "root of the checkout")
	tags := flag.Bool("tags", false, "print the tags of the release instead, one a line")
	flag.Parse()
	if err := run(*root, *out, *tags); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(root, out string, tags bool) error {
	files, err := trackedFiles(root)
	if err != nil {
		return err
	}
	modules, err := findModules(root, files)
	if err != nil {
		return err
	}
	if tags {
		for _, m := range modules {
			fmt.Println(m.tag())
		}
		return nil
	}
	if out == "" {
		return errors.New("-out must name a folder")
	}
	at, err := commitTime(root)
	if err != nil {
		return err
	}
	for _, m := range modules {
		if err := writeModule(root, out, m, at); err != nil {
			return fmt.Errorf("%s: %w", m.path, err)
		}
		fmt.Printf("%s@%s: %d files\n", m.path, version, len(m.files))
	}
	return nil
}

// commitTime is the time of the commit that is checked out.
func commitTime(root string) (time.Time, error) {
	stamp, err := git(root, "log", "-1", "--format=%cI")
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, stamp)
}
