/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A path of a multipath map, as in the hardware handler interface of 2007.
 */
#ifndef DM_MPATH_H
#define DM_MPATH_H

#include <linux/types.h>

struct dm_dev;

struct dm_path {
	struct dm_dev *dev;	/* the disk; NULL until its gendisk exists */
	unsigned int is_active;	/* always 1: only active paths are activated */
	void *pscontext;	/* unused: path selectors are the kernel's */
	void *hwhcontext;	/* private to the handler */
};

/*
 * Completes a pg_init() with 0 or MP_ flags. Must be called exactly once for each
 * pg_init(), in any context.
 */
void dm_pg_init_complete(struct dm_path *path, unsigned int err_flags);

#endif
