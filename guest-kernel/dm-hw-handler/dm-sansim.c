// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hardware handler in the style of 2007, for an array that no kernel knows.
 * START STOP UNIT makes a controller take over a LUN; the array may answer
 * "not now".
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blk-mq.h>
#include <linux/slab.h>
#include <scsi/scsi_cmnd.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_eh.h>
#include <scsi/scsi_proto.h>

#include "dm-hw-handler.h"

#define TIMEOUT (60 * HZ)

/* Bugs that are planted, by the argument that asks for them. */
enum canary {
	NO_CANARY,
	STARTLED,		/* a unit attention is taken for a failure of the path */
	FORGETFUL,		/* an activation that is aborted is never completed */
};

static const char *const canaries[] = {
	[STARTLED] = "canary",
	[FORGETFUL] = "canary-forgets",
};

struct sansim {
	struct dm_path *path;		/* the path of the running pg_init */
	unsigned int busy;		/* MP_ flags to complete with on "not now" */
	enum canary canary;		/* the bug that is planted */
	unsigned int sent;		/* commands sent since create() */
	unsigned int atomic;		/* completions in interrupt context */
	unsigned int last;		/* flags of the last completion */
};

/* Maps the outcome of START STOP UNIT to MP_ flags. */
static unsigned int judge(struct sansim *h, const struct scsi_cmnd *cmd, blk_status_t status)
{
	struct scsi_sense_hdr sense;

	if (!cmd->result && status == BLK_STS_OK)
		return 0;
	if (!scsi_command_normalize_sense(cmd, &sense))
		return MP_FAIL_PATH;
	switch (sense.sense_key) {
	case NOT_READY:
		if (sense.asc == 0x04 && sense.ascq == 0x01)
			return MP_RETRY;	/* becoming ready */
		if (sense.asc == 0x04 && sense.ascq == 0x03)
			return h->busy;		/* switchover in progress */
		if (sense.asc == 0x04 && sense.ascq == 0x22)
			return MP_BYPASS_PG;	/* needs manual repair */
		return MP_FAIL_PATH;
	case UNIT_ATTENTION:
		return h->canary == STARTLED ? MP_FAIL_PATH : MP_RETRY;
	case ABORTED_COMMAND:
		return MP_RETRY;
	default:
		return MP_FAIL_PATH;
	}
}

/* Whether the planted bug forgets to complete the pg_init. */
static bool forgets(const struct sansim *h, const struct scsi_cmnd *cmd)
{
	struct scsi_sense_hdr sense;

	return h->canary == FORGETFUL && scsi_command_normalize_sense(cmd, &sense) &&
	       sense.sense_key == ABORTED_COMMAND;
}

/* Runs in interrupt context, unless the request never reached the HBA. */
static enum rq_end_io_ret start_done(struct request *rq, blk_status_t status)
{
	const struct scsi_cmnd *cmd = blk_mq_rq_to_pdu(rq);
	struct sansim *h = rq->end_io_data;

	h->last = judge(h, cmd, status);
	if (in_interrupt())
		h->atomic++;
	if (!forgets(h, cmd))
		dm_pg_init_complete(h->path, h->last);
	return RQ_END_IO_FREE;
}

static void sansim_pg_init(struct hw_handler *hwh, unsigned int bypassed, struct dm_path *path)
{
	static const u8 cdb[6] = { START_STOP, 0, 0, 0, 1, 0 };
	struct scsi_device *sdev = dm_hw_handler_sdev(hwh);
	struct sansim *h = hwh->context;
	struct scsi_cmnd *cmd;
	struct request *rq;

	rq = scsi_alloc_request(sdev->request_queue, REQ_OP_DRV_IN | REQ_FAILFAST_DEV |
				REQ_FAILFAST_TRANSPORT | REQ_FAILFAST_DRIVER, 0);
	if (IS_ERR(rq)) {
		dm_pg_init_complete(path, MP_RETRY);
		return;
	}
	cmd = blk_mq_rq_to_pdu(rq);
	cmd->cmd_len = sizeof(cdb);
	memcpy(cmd->cmnd, cdb, sizeof(cdb));
	rq->timeout = TIMEOUT;
	rq->rq_flags |= RQF_QUIET;
	rq->end_io = start_done;
	rq->end_io_data = h;
	h->path = path;
	h->sent++;
	blk_execute_rq_nowait(rq, true);
}

/*
 * Argument "retry" or "bypass": what to do while the array switches over.
 * Or the name of a canary: plant a bug, to see whether what looks for bugs finds it.
 */
static int sansim_create(struct hw_handler *hwh, unsigned int argc, char **argv)
{
	unsigned int busy = MP_RETRY;
	enum canary canary = NO_CANARY;
	struct sansim *h;

	if (argc > 1)
		return -EINVAL;
	if (argc && !strcmp(argv[0], "bypass")) {
		busy = MP_BYPASS_PG;
	} else if (argc && strcmp(argv[0], "retry")) {
		int named = match_string(canaries + 1, ARRAY_SIZE(canaries) - 1, argv[0]);

		if (named < 0)
			return -EINVAL;
		canary = named + 1;
	}
	h = kzalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		return -ENOMEM;
	h->busy = busy;
	h->canary = canary;
	hwh->context = h;
	return 0;
}

static void sansim_destroy(struct hw_handler *hwh)
{
	kfree(hwh->context);
}

static int sansim_status(struct hw_handler *hwh, status_type_t type, char *result,
			 unsigned int maxlen)
{
	struct sansim *h = hwh->context;

	if (type == STATUSTYPE_TABLE)
		return scnprintf(result, maxlen, "%s", h->canary ? canaries[h->canary] :
				 h->busy == MP_RETRY ? "retry" : "bypass");
	return scnprintf(result, maxlen, "sent %u atomic %u last %u", h->sent, h->atomic, h->last);
}

static struct hw_handler_type sansim = {
	.name = "sansim",
	.module = THIS_MODULE,
	.create = sansim_create,
	.destroy = sansim_destroy,
	.pg_init = sansim_pg_init,
	.error = dm_scsi_err_handler,
	.status = sansim_status,
};

static int __init sansim_init(void)
{
	return dm_register_hw_handler(&sansim);
}

static void __exit sansim_exit(void)
{
	int error = dm_unregister_hw_handler(&sansim);

	if (error)
		pr_err("cannot unregister (%d)\n", error);
}

module_init(sansim_init);
module_exit(sansim_exit);

MODULE_DESCRIPTION("Hardware handler for sansim's own array");
MODULE_ALIAS("scsi_dh_sansim");
MODULE_ALIAS("dm-sansim");
MODULE_LICENSE("GPL");
