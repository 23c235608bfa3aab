#ifndef PAGES_USERS_H
#define PAGES_USERS_H
/* Accounts of the people who use this installation; for admins. */
#include "http/response.h"

handler users_list, users_add, users_show, users_save, users_password;

#endif
