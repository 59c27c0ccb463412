/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dm-multipath's hardware handler interface of 2005 to 2008, implemented on top
 * of the SCSI device handlers that replaced it. README.md lists what is kept,
 * approximated and lost.
 */
#ifndef DM_HW_HANDLER_H
#define DM_HW_HANDLER_H

#include <linux/bio.h>
#include <linux/device-mapper.h>
#include <linux/module.h>

#include "dm-mpath.h"

struct hw_handler_type;
struct scsi_device;
struct scsi_sense_hdr;

/* An instance. There is one per path; in 2007 there was one per map. */
struct hw_handler {
	struct hw_handler_type *type;
	struct mapped_device *md;	/* always NULL: device handlers do not get it */
	void *context;			/* private to the handler */
};

struct hw_handler_type {
	char *name;
	struct module *module;

	/*
	 * Creates an instance: without arguments when a path is attached. If
	 * the table has arguments, another instance is created with them, and
	 * the previous one destroyed. A nonzero return value rejects the table
	 * and keeps the previous instance.
	 */
	int (*create)(struct hw_handler *hwh, unsigned int argc, char **argv);
	void (*destroy)(struct hw_handler *hwh);

	/*
	 * Starts to make the path's controller serve the LUN, and returns. The
	 * handler calls dm_pg_init_complete() when done. `bypassed` is always
	 * 0. May be NULL if there is nothing to do.
	 */
	void (*pg_init)(struct hw_handler *hwh, unsigned int bypassed,
			struct dm_path *path);

	/*
	 * Returns MP_ flags: what to do about a failed command. `bio` is always
	 * NULL; use dm_hw_handler_sense(). Called in atomic context.
	 */
	unsigned int (*error)(struct hw_handler *hwh, struct bio *bio);

	/*
	 * Writes at most maxlen bytes of text. Returns the number of bytes
	 * written. Called in atomic context.
	 */
	int (*status)(struct hw_handler *hwh, status_type_t type, char *result,
		      unsigned int maxlen);
};

/*
 * Returns -EEXIST if the name is taken, -EBUSY if this name begins with the name
 * of a registered handler (of the kernel or of this module), -ENOSPC if there are
 * too many types, -EINVAL without name, create or destroy.
 */
int dm_register_hw_handler(struct hw_handler_type *type);

/* Returns -EINVAL if not registered, -ETXTBSY while a path uses the type. */
int dm_unregister_hw_handler(struct hw_handler_type *type);

/* Loads module dm-<name> if necessary; NULL if there is no such type. */
struct hw_handler_type *dm_get_hw_handler(const char *name);
void dm_put_hw_handler(struct hw_handler_type *type);

/* An error() for SCSI disks: decides by the sense key. */
unsigned int dm_scsi_err_handler(struct hw_handler *hwh, struct bio *bio);

/* Not in 2007: the device of an instance, and in error() the command's sense. */
struct scsi_device *dm_hw_handler_sdev(struct hw_handler *hwh);
const struct scsi_sense_hdr *dm_hw_handler_sense(struct hw_handler *hwh);

/* Flags for error() and dm_pg_init_complete(). */
#define MP_FAIL_PATH 1	/* the path has failed */
#define MP_BYPASS_PG 2	/* prefer other path groups */
#define MP_ERROR_IO 4	/* do not retry this I/O */
#define MP_RETRY 8	/* run pg_init again */

#endif
