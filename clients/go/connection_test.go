package changefeed

import (
	"net"
	"testing"
	"time"
)

func TestAConnectionIsSilentOnlyWhileItIsRead(t *testing.T) {
	for _, isHeld := range []bool{true, false} {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		c := &connection{silence: time.Minute}
		c.isHeld.Store(isHeld)
		quiet := &wire{Conn: ours}
		c.wire.Store(quiet)
		quiet.heardAt.Store(time.Now().Add(-2 * time.Minute).UnixNano())
		dog := newWatchdog(c, quiet)
		dog.look()
		dog.stop()
		if c.isSilent.Load() == isHeld {
			t.Errorf("held %v, given up %v", isHeld, c.isSilent.Load())
		}
		if err := ours.SetDeadline(time.Time{}); (err != nil) == isHeld {
			t.Errorf("held %v, the connection: %v", isHeld, err)
		}
	}
}
