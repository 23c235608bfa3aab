#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H
/*
 * Addresses that somebody typed in, and that this machine is to ask: they must not lead to what
 * only this machine can reach (its own services, the private network, a cloud's metadata). The name
 * is judged when it is typed in; what counts is the judgement of the very address that is connected
 * to (exchange.guarded in net/client.h), for a name may mean something else a moment later.
 */
#include <sys/socket.h>

#include "base/str.h"

/** An address of the public internet: not this machine's, private, link-local, shared, multicast,
 * reserved or for documentation; neither as it stands nor within IPv6 (mapped, translated, 6to4,
 * Teredo). */
bool address_is_public(const struct sockaddr *address);
/** ${url} is complete, https (http too where ${private_ok}), holds no user or password, and names
 * no address that is not public (unless ${private_ok}). ERR_INVALID with words for a person,
 * without field. */
bool address_check(struct arena *a, struct str url, bool private_ok, struct error *e) MUST_USE;

#endif
