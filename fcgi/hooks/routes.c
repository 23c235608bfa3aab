#include "hooks/routes.h"

#include "hooks/bland.h"

/* A webhook is raw (its signature is over the bytes), has no session, and is answered as JSON. */
enum { HOOK = ROUTE_RAW | ROUTE_NO_CSRF | ROUTE_API_ONLY | ROUTE_GATHERED, HOOK_MOST = 6 << 20 };

static const struct route hook[] = {
    {POST, "/webhook", bland_hook, NULL, ROLE_NONE, HOOK, HOOK_MOST},
    {POST, "/webhooks/bland", bland_hook, NULL, ROLE_NONE, HOOK, HOOK_MOST},
};

const struct route *
routes_hook(size_t *n)
{
	*n = sizeof(hook) / sizeof(hook[0]);
	return hook;
}
