// Verifies an audit trail with filippo.io/torchwood, which reads every entry of a transparency log in tiles and believes none that
// is not under the signed root. Prints what it accepts and exits with 0, or why not and exits with 1.
//
//	torchwood-verifier DIR VKEY
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	said, err := trail(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Println("REFUSED:", err)
		os.Exit(1)
	}
	fmt.Println("ACCEPTED:", said)
}

func trail(dir, vkey string) (string, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", err
	}
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return "", err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return "", err
	}
	checkpoint, err := torchwood.ParseCheckpoint(opened.Text)
	if err != nil {
		return "", err
	}
	client, err := torchwood.NewClient(directory(dir))
	if err != nil {
		return "", err
	}
	// It may stop before a tile that is not full: the second time it reads that too.
	next := int64(0)
	for rounds := 0; rounds < 2; rounds++ {
		for index := range client.Entries(context.Background(), checkpoint.Tree, next) {
			if index != next {
				return "", fmt.Errorf("entry %d came in place of %d", index, next)
			}
			next++
		}
		if err := client.Err(); err != nil {
			return "", err
		}
	}
	if next != checkpoint.N {
		return "", fmt.Errorf("%d entries of %d", next, checkpoint.N)
	}
	return fmt.Sprintf("%d entries of %s", next, checkpoint.Origin), nil
}

// directory is a torchwood.TileReader.
type directory string

func (dir directory) ReadTiles(_ context.Context, tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		bytes, err := os.ReadFile(filepath.Join(string(dir), torchwood.TilePath(tile)))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

func (dir directory) SaveTiles([]tlog.Tile, [][]byte) {}

func (dir directory) ReadEndpoint(_ context.Context, path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(dir), path))
}
