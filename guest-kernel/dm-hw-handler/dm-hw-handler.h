/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface by which hardware handlers were written for dm-multipath from
 * 2005 to 2008, on top of the SCSI device handlers that replaced it. What is
 * kept, what is approximated and what is lost: README.md.
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

/* An instance: one a path today, where 2007 had one a map. */
struct hw_handler {
	struct hw_handler_type *type;
	struct mapped_device *md;	/* always NULL: no handler sees it today */
	void *context;			/* the handler's */
};

struct hw_handler_type {
	char *name;
	struct module *module;

	/*
	 * Makes an instance. Without arguments when a path is attached; if the
	 * table has some, one is made with them, and the one before destroyed.
	 * Not 0 refuses the table, and leaves the one before.
	 */
	int (*create)(struct hw_handler *hwh, unsigned int argc, char **argv);
	void (*destroy)(struct hw_handler *hwh);

	/*
	 * Starts to make the path's controller serve, and returns; the end is
	 * told by dm_pg_init_complete(). `bypassed` is always 0 today. Where
	 * this is NULL, there is nothing to do.
	 */
	void (*pg_init)(struct hw_handler *hwh, unsigned int bypassed,
			struct dm_path *path);

	/*
	 * What to do about a command that failed: MP_ flags. `bio` is always
	 * NULL today; what is known is dm_hw_handler_sense(). Atomic context.
	 */
	unsigned int (*error)(struct hw_handler *hwh, struct bio *bio);

	/*
	 * Writes at most maxlen bytes of text, and returns how many it wrote.
	 * Atomic context.
	 */
	int (*status)(struct hw_handler *hwh, status_type_t type, char *result,
		      unsigned int maxlen);
};

/*
 * -EEXIST if the name is taken, -EBUSY if one of the kernel's own handlers (or
 * one that is registered here) has a name that this one begins with, -ENOSPC if
 * there are too many types, -EINVAL without name, create or destroy.
 */
int dm_register_hw_handler(struct hw_handler_type *type);

/* -EINVAL if it was not registered, -ETXTBSY while a path has it. */
int dm_unregister_hw_handler(struct hw_handler_type *type);

/* Loads module dm-<name> if need be; NULL if there is no such type. */
struct hw_handler_type *dm_get_hw_handler(const char *name);
void dm_put_hw_handler(struct hw_handler_type *type);

/* An error() for SCSI disks: judges by the sense key. */
unsigned int dm_scsi_err_handler(struct hw_handler *hwh, struct bio *bio);

/* New: the disk of an instance, and within error() the sense of the command. */
struct scsi_device *dm_hw_handler_sdev(struct hw_handler *hwh);
const struct scsi_sense_hdr *dm_hw_handler_sense(struct hw_handler *hwh);

/* Flags of error() and dm_pg_init_complete(). */
#define MP_FAIL_PATH 1	/* the path has failed */
#define MP_BYPASS_PG 2	/* use other path groups first */
#define MP_ERROR_IO 4	/* do not try this I/O again */
#define MP_RETRY 8	/* run pg_init again */

#endif
