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
		quiet.heardAt.Store(int64(running() - 2*time.Minute))
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

func TestHowLongItIsSilentDoesNotHangOnTheTimeOfDay(t *testing.T) {
	before := running()
	var w wire
	w.heard()
	if heardAt := time.Duration(w.heardAt.Load()); heardAt < before || heardAt > running() {
		t.Errorf("heard at %v, while the program ran from %v to %v", heardAt, before, running())
	}
}
