#ifndef BASE_HEARTBEAT_H
#define BASE_HEARTBEAT_H
/* Tells systemd that this process gets round its loop (WatchdogSec=), so that one which hangs is
 * ended long before its time is over. Elsewhere, without $NOTIFY_SOCKET, it does nothing. */

/** At most once a second, however often it is called; never waits. */
void heartbeat(void);

#endif
