/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A path of a multipath map, as the hardware handlers of 2007 saw it.
 */
#ifndef DM_MPATH_H
#define DM_MPATH_H

#include <linux/types.h>

struct dm_dev;

struct dm_path {
	struct dm_dev *dev;	/* its disk; NULL until the disk has been found */
	unsigned int is_active;	/* always 1: only active paths are activated */
	void *pscontext;	/* unused: path selectors are the kernel's own */
	void *hwhcontext;	/* the handler's */
};

/*
 * Says how a pg_init() ended: 0 or MP_ flags. Exactly once for each, in any
 * context.
 */
void dm_pg_init_complete(struct dm_path *path, unsigned int err_flags);

#endif
