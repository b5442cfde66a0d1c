// Verifies an audit trail with the Go project's own code for transparency logs, golang.org/x/mod/sumdb/note and
// tlog, and nothing of the feed's. Prints what it accepts and exits with 0, or why not and exits with 1.
//
//	go-verifier trail DIR VKEY [KEPT-CHECKPOINT]
//	go-verifier inclusion TLOG-PROOF VKEY
//	go-verifier consistency EXTENSION KEPT-CHECKPOINT VKEY
package main

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8
const width = 1 << height

func main() {
	said, err := run(os.Args[1:])
	if err != nil {
		fmt.Println("REFUSED:", err)
		os.Exit(1)
	}
	fmt.Println("ACCEPTED:", said)
}

func run(args []string) (string, error) {
	switch {
	case len(args) >= 3 && args[0] == "trail":
		return trail(args[1], args[2], args[3:])
	case len(args) == 3 && args[0] == "inclusion":
		return inclusion(args[1], args[2])
	case len(args) == 4 && args[0] == "consistency":
		return consistency(args[1], args[2], args[3])
	}
	return "", errors.New("unknown arguments")
}

func trail(dir, vkey string, kept []string) (string, error) {
	tree, err := openFile(filepath.Join(dir, "checkpoint"), vkey)
	if err != nil {
		return "", err
	}
	// The hashes of all entries, and the root they make.
	var made storage
	for n := int64(0); n*width < tree.N; n++ {
		entries, err := bundle(dir, tree, n)
		if err != nil {
			return "", err
		}
		for i, entry := range entries {
			hashes, err := tlog.StoredHashes(n*width+int64(i), entry, &made)
			if err != nil {
				return "", err
			}
			made = append(made, hashes...)
		}
	}
	root, err := tlog.TreeHash(tree.N, &made)
	if err != nil {
		return "", err
	}
	if root != tree.Hash {
		return "", errors.New("the entries' root differs")
	}
	if err := tiles(dir, tree, made); err != nil {
		return "", err
	}
	for _, file := range kept {
		if err := grew(file, vkey, tree, &made); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d entries", tree.N), nil
}

// tiles checks every hash that the tiles hold, up to the root.
func tiles(dir string, tree tlog.Tree, made storage) error {
	reader := tlog.TileHashReader(tree, &tileFiles{dir})
	var indexes []int64
	for i := range made {
		indexes = append(indexes, int64(i))
	}
	if len(indexes) == 0 {
		return nil
	}
	hashes, err := reader.ReadHashes(indexes)
	if err != nil {
		return err
	}
	for i := range hashes {
		if hashes[i] != made[i] {
			return fmt.Errorf("stored hash %d differs", i)
		}
	}
	return nil
}

func grew(file, vkey string, tree tlog.Tree, made *storage) error {
	old, err := openFile(file, vkey)
	if err != nil {
		return err
	}
	if old.N > tree.N {
		return fmt.Errorf("set back: %d entries, %d before", tree.N, old.N)
	}
	if old.N == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(tree.N, old.N, made)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

func inclusion(file, vkey string) (string, error) {
	lines, checkpoint, err := split(file)
	if err != nil {
		return "", err
	}
	tree, err := open([]byte(checkpoint), vkey)
	if err != nil {
		return "", err
	}
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return "", errors.New("no tlog-proof")
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return "", err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return "", err
	}
	proof, err := hashes(lines[3:])
	if err != nil {
		return "", err
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return "", err
	}
	return fmt.Sprintf("entry %d", index), nil
}

func consistency(file, kept, vkey string) (string, error) {
	lines, checkpoint, err := split(file)
	if err != nil {
		return "", err
	}
	tree, err := open([]byte(checkpoint), vkey)
	if err != nil {
		return "", err
	}
	old, err := openFile(kept, vkey)
	if err != nil {
		return "", err
	}
	if lines[0] != fmt.Sprintf("old %d", old.N) {
		return "", errors.New("the proof is of another size")
	}
	proof, err := hashes(lines[1:])
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d grew to %d", old.N, tree.N), tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

func split(file string) ([]string, string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, "", err
	}
	proof, checkpoint, found := strings.Cut(string(text), "\n\n")
	if !found {
		return nil, "", errors.New("no checkpoint")
	}
	return strings.Split(proof, "\n"), checkpoint, nil
}

func hashes(lines []string) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		all = append(all, hash)
	}
	return all, nil
}

func openFile(file, vkey string) (tlog.Tree, error) {
	msg, err := os.ReadFile(file)
	if err != nil {
		return tlog.Tree{}, err
	}
	return open(msg, vkey)
}

func open(msg []byte, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(msg, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("no checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: hash}, err
}

// bundle reads entries as C2SP tlog-tiles lays them out.
func bundle(dir string, tree tlog.Tree, n int64) ([][]byte, error) {
	w := int64(width)
	if rest := tree.N - n*width; rest < w {
		w = rest
	}
	// Its path is that of a tile, with another name for the level.
	tile := tlog.Tile{H: height, L: 0, N: n, W: int(w)}
	data, err := os.ReadFile(filepath.Join(dir, strings.Replace(pathOf(tile), "tile/0/", "tile/entries/", 1)))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("bundle %d is torn", n)
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		entries = append(entries, data[2:end])
		data = data[end:]
	}
	if int64(len(entries)) != w {
		return nil, fmt.Errorf("bundle %d has %d entries of %d", n, len(entries), w)
	}
	return entries, nil
}

// pathOf gives C2SP's path of a tile: x/mod writes the height too.
func pathOf(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
}

type tileFiles struct{ dir string }

func (t *tileFiles) Height() int { return height }

func (t *tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t *tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(t.dir, pathOf(tile)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

type storage []tlog.Hash

func (s *storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, index := range indexes {
		all = append(all, (*s)[index])
	}
	return all, nil
}
