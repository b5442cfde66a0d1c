package changefeed

import (
	"context"
	"sync"
)

const (
	maxQueuedTexts = 1024
	maxQueuedBytes = 1 << 20
)

// What came and waits for the reader, and how it ended, which is told after all that came before. While it is full, put
// waits: the socket is not read, and the server waits.
type queue struct {
	mu     sync.Mutex
	texts  [][]byte
	bytes  int
	ending ending
	// Each holds one word at most.
	arrived, taken chan struct{}
}

func newQueue() *queue {
	return &queue{arrived: make(chan struct{}, 1), taken: make(chan struct{}, 1)}
}

// False where ctx ended before there was room for more; onHold is told before it waits.
func (q *queue) put(ctx context.Context, text []byte, onHold func(isHeld bool)) bool {
	q.mu.Lock()
	q.texts = append(q.texts, text)
	q.bytes += len(text)
	isFull := q.holdsMoreThan(1)
	q.mu.Unlock()
	tell(q.arrived)
	if !isFull {
		return true
	}
	onHold(true)
	defer onHold(false)
	for {
		select {
		case <-ctx.Done():
			return false
		case <-q.taken:
		}
		q.mu.Lock()
		isFull = q.holdsMoreThan(2)
		q.mu.Unlock()
		if !isFull {
			return true
		}
	}
}

// The first ending counts.
func (q *queue) end(ending ending) {
	q.mu.Lock()
	q.ending = ending
	q.mu.Unlock()
	tell(q.arrived)
}

// The next text, or how it ended; or the error of the first context that ended.
func (q *queue) next(ctx, life context.Context) ([]byte, ending, error) {
	for {
		q.mu.Lock()
		text, ending := q.pop()
		q.mu.Unlock()
		if text != nil || ending != nil {
			tell(q.taken)
			return text, ending, nil
		}
		select {
		case <-q.arrived:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-life.Done():
			return nil, nil, life.Err()
		}
	}
}

func (q *queue) pop() ([]byte, ending) {
	if len(q.texts) == 0 {
		return nil, q.ending
	}
	text := q.texts[0]
	q.texts[0] = nil
	q.texts = q.texts[1:]
	q.bytes -= len(text)
	return text, nil
}

// More than this share of what may wait: 1 the whole, 2 half of it.
func (q *queue) holdsMoreThan(share int) bool {
	return len(q.texts) > maxQueuedTexts/share || q.bytes > maxQueuedBytes/share
}

func tell(whom chan struct{}) {
	select {
	case whom <- struct{}{}:
	default:
	}
}
