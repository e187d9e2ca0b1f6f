// Command log verifies what Lango wrote of a log, with Go's own libraries of transparency logs and nothing of Lango's.
//
// Usage: log FOLDER. The folder holds `key` (the log's key), `checkpoint`, `older` (an earlier checkpoint), `consistency` (a
// hash on each line), `entry`, `entry.tlog-proof`, and the log's tiles under their paths. Each line that is printed is proven.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: log FOLDER")
		os.Exit(2)
	}
	if err := verify(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func verify(folder string) error {
	key, err := os.ReadFile(filepath.Join(folder, "key"))
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(key)))
	if err != nil {
		return err
	}
	signed, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := checkpoint(signed, verifier)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	fmt.Printf("checkpoint of %d entries\n", tree.N)
	if err := consistent(folder, tree, verifier); err != nil {
		return err
	}
	if err := included(folder, verifier); err != nil {
		return err
	}
	return tiles(folder, tree)
}

// checkpoint verifies a signed note of three lines: origin, size, root.
func checkpoint(signed []byte, verifier note.Verifier) (tree tlog.Tree, err error) {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tree, fmt.Errorf("%q is not a checkpoint of %s", opened.Text, verifier.Name())
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

func consistent(folder string, tree tlog.Tree, verifier note.Verifier) error {
	signed, err := os.ReadFile(filepath.Join(folder, "older"))
	if err != nil {
		return err
	}
	older, err := checkpoint(signed, verifier)
	if err != nil {
		return fmt.Errorf("older: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "consistency"))
	if err != nil {
		return err
	}
	proof, err := hashes(strings.Fields(string(text)))
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, older.N, older.Hash); err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	fmt.Printf("consistent with the one of %d\n", older.N)
	return nil
}

// included verifies a file in the form of C2SP's tlog-proof.
func included(folder string, verifier note.Verifier) error {
	text, err := os.ReadFile(filepath.Join(folder, "entry.tlog-proof"))
	if err != nil {
		return err
	}
	head, signed, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		return fmt.Errorf("entry.tlog-proof is no proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	proof, err := hashes(lines[2:])
	if err != nil {
		return err
	}
	tree, err := checkpoint([]byte(signed), verifier)
	if err != nil {
		return fmt.Errorf("entry.tlog-proof: %w", err)
	}
	entry, err := os.ReadFile(filepath.Join(folder, "entry"))
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return fmt.Errorf("inclusion: %w", err)
	}
	fmt.Printf("entry %d is in it\n", index)
	return nil
}

func hashes(lines []string) (found []tlog.Hash, err error) {
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		found = append(found, hash)
	}
	return found, nil
}

// stored reads tiles as Lango lays them out: Go names the height in their paths, and C2SP does not.
type stored string

func (folder stored) Height() int { return height }

func (folder stored) SaveTiles([]tlog.Tile, [][]byte) {}

func (folder stored) ReadTiles(wanted []tlog.Tile) (found [][]byte, err error) {
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		bytes, err := os.ReadFile(filepath.Join(string(folder), path))
		if err != nil {
			return nil, err
		}
		found = append(found, bytes)
	}
	return found, nil
}

// tiles verifies every entry of every bundle against the root, by way of the tiles.
func tiles(folder string, tree tlog.Tree) error {
	reader := tlog.TileHashReader(tree, stored(folder))
	proven := int64(0)
	for proven < tree.N {
		// A bundle has the path of the tile of leaves over it, but for the level.
		tile := tlog.Tile{H: height, L: 0, N: proven >> height, W: 1 << height}
		if left := tree.N - proven; left < 1<<height {
			tile.W = int(left)
		}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		bundle, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			return err
		}
		for reading := bytes.NewBuffer(bundle); reading.Len() > 0; proven++ {
			length := int(binary.BigEndian.Uint16(reading.Next(2)))
			found, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, proven)})
			if err != nil {
				return err
			}
			if found[0] != tlog.RecordHash(reading.Next(length)) {
				return fmt.Errorf("entry %d is not the one whose hash is in the tree", proven)
			}
		}
	}
	fmt.Printf("%d entries of %d lead to the root\n", proven, tree.N)
	return nil
}
