// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hardware handler interface of 2007 on current kernels: every registered
 * hw_handler_type becomes a SCSI device handler of the same name.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blkdev.h>
#include <linux/kmod.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <scsi/scsi_dh.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_eh.h>

#include "dm-hw-handler.h"

/* Maximum number of types. Each needs its own attach function, see SLOT(). */
#define SLOTS 8

/* A registered type. */
struct slot {
	struct hw_handler_type type;	/* a copy; name is NULL if the slot is free */
	struct scsi_device_handler dh;
	unsigned int users;		/* attached devices, and dm_get_hw_handler() */
};

struct bridge;

/* Lives from create() to destroy(). */
struct instance {
	struct hw_handler hwh;
	struct bridge *bridge;
};

/* A caller to be notified when the running pg_init completes. */
struct waiter {
	struct list_head list;
	activate_complete done;
	void *data;
};

/* The handler_data of a SCSI device. */
struct bridge {
	struct dm_path path;
	struct dm_dev dev;
	struct scsi_device *sdev;
	struct slot *slot;
	bool bypass;				/* next activation: MP_BYPASS_PG */

	/*
	 * Held during error() and status(). Lock order: hook_lock, the handler's
	 * own lock, `lock`. A handler may call dm_pg_init_complete(), which takes
	 * `lock`, with its own lock held.
	 */
	spinlock_t hook_lock;
	const struct scsi_sense_hdr *sense;	/* valid in error() */

	spinlock_t lock;			/* protects the fields below */
	enum { PG_INIT_IDLE, PG_INIT_BEGUN, PG_INIT_COMPLETED } pg_init;
	int result;
	struct list_head waiters;
	struct work_struct completion;
	wait_queue_head_t idle;

	/* Changes only with both locks held and no pg_init running. */
	struct instance *instance;
};

static DEFINE_MUTEX(slots_lock);
static struct slot slots[SLOTS];

/* WQ_MEM_RECLAIM: I/O waits for this work, and memory reclaim for the I/O. */
static struct workqueue_struct *workqueue;

static struct bridge *path_bridge(struct dm_path *path)
{
	return container_of(path, struct bridge, path);
}

static struct bridge *hwh_bridge(struct hw_handler *hwh)
{
	return container_of(hwh, struct instance, hwh)->bridge;
}

/*
 * Maps the flags to the result for which current dm-multipath does what the
 * flags meant in 2007 (dm-mpath.c:pg_init_done). No result means both "fail the
 * path" and "bypass its group"; failing the path takes precedence.
 */
static int activation_result(unsigned int err_flags)
{
	if (err_flags & (MP_FAIL_PATH | MP_ERROR_IO))
		return SCSI_DH_IO;
	if (err_flags & MP_BYPASS_PG)
		return SCSI_DH_DEV_TEMP_BUSY;
	if (err_flags & MP_RETRY)
		return SCSI_DH_IMM_RETRY;	/* no delay, as in 2007 */
	return SCSI_DH_OK;
}

/* Notifies dm-multipath, in process context like the kernel's handlers. */
static void complete_activation(struct work_struct *work)
{
	struct bridge *bridge = container_of(work, struct bridge, completion);
	struct waiter *waiter, *next;
	LIST_HEAD(waiters);
	int result;

	spin_lock_irq(&bridge->lock);
	list_splice_init(&bridge->waiters, &waiters);
	result = bridge->result;
	bridge->pg_init = PG_INIT_IDLE;
	spin_unlock_irq(&bridge->lock);
	wake_up_all(&bridge->idle);
	list_for_each_entry_safe(waiter, next, &waiters, list) {
		if (waiter->done)
			waiter->done(waiter->data, result);
		kfree(waiter);
	}
}

void dm_pg_init_complete(struct dm_path *path, unsigned int err_flags)
{
	struct bridge *bridge = path_bridge(path);
	unsigned long flags;
	bool expected;

	spin_lock_irqsave(&bridge->lock, flags);
	expected = bridge->pg_init == PG_INIT_BEGUN;
	if (expected) {
		bridge->pg_init = PG_INIT_COMPLETED;
		bridge->result = activation_result(err_flags);
	}
	spin_unlock_irqrestore(&bridge->lock, flags);
	if (expected)
		queue_work(workqueue, &bridge->completion);
	else
		sdev_printk(KERN_ERR, bridge->sdev,
			    "%s: pg_init completed twice, or never begun\n",
			    bridge->slot->type.name);
}
EXPORT_SYMBOL_GPL(dm_pg_init_complete);

/* The gendisk is created only after the handler is attached to the device. */
static void find_disk(struct bridge *bridge)
{
	struct gendisk *disk = bridge->sdev->request_queue->disk;

	if (bridge->path.dev || !disk)
		return;
	bridge->dev.bdev = disk->part0;
	format_dev_t(bridge->dev.name, disk_devt(disk));
	bridge->path.dev = &bridge->dev;
}

/*
 * Starts a pg_init, or joins the running one, which may be for another map or for
 * a reinstated path. In 2007 there was only one at a time, too.
 */
static int hwh_activate(struct scsi_device *sdev, activate_complete fn, void *data)
{
	struct bridge *bridge = sdev->handler_data;
	struct waiter *waiter = kmalloc(sizeof(*waiter), GFP_NOIO);
	struct hw_handler *hwh;
	bool begin;

	if (!waiter) {
		if (fn)
			fn(data, SCSI_DH_RES_TEMP_UNAVAIL);
		return 0;
	}
	waiter->done = fn;
	waiter->data = data;
	spin_lock_irq(&bridge->lock);
	begin = bridge->pg_init == PG_INIT_IDLE;
	if (begin)
		bridge->pg_init = PG_INIT_BEGUN;
	list_add_tail(&waiter->list, &bridge->waiters);
	hwh = &bridge->instance->hwh;
	spin_unlock_irq(&bridge->lock);
	if (!begin)
		return 0;
	find_disk(bridge);
	if (xchg(&bridge->bypass, false))
		dm_pg_init_complete(&bridge->path, MP_BYPASS_PG);
	else if (hwh->type->pg_init)
		hwh->type->pg_init(hwh, 0, &bridge->path);
	else
		dm_pg_init_complete(&bridge->path, 0);
	return 0;
}

/*
 * Maps the flags of error() to a disposition of the command for the current
 * mid-layer. error() never saw unit attentions or 02/04/01 (becoming ready): the
 * mid-layer handled them first.
 */
static enum scsi_disposition hwh_check_sense(struct scsi_device *sdev,
					     struct scsi_sense_hdr *sense)
{
	struct bridge *bridge = sdev->handler_data;
	struct slot *slot = bridge->slot;
	unsigned long irq;
	unsigned int flags;

	if (!slot->type.error || sense->sense_key == UNIT_ATTENTION ||
	    (sense->sense_key == NOT_READY && sense->asc == 0x04 && sense->ascq == 0x01))
		return SCSI_RETURN_NOT_HANDLED;
	spin_lock_irqsave(&bridge->hook_lock, irq);
	bridge->sense = sense;
	flags = slot->type.error(&bridge->instance->hwh, NULL);
	bridge->sense = NULL;
	spin_unlock_irqrestore(&bridge->hook_lock, irq);
	if (flags & MP_BYPASS_PG)
		bridge->bypass = true;
	if (flags & MP_ERROR_IO)
		return SCSI_RETURN_NOT_HANDLED;
	if (flags & (MP_FAIL_PATH | MP_BYPASS_PG))
		return SUCCESS;
	return NEEDS_RETRY;
}

/* Input: "2", "a", "b", each NUL-terminated (dm-mpath.c:parse_hw_handler). */
static int parse_arguments(const char *params, unsigned int *argc, char ***argv)
{
	const char *next = params + strlen(params) + 1;
	unsigned int i;
	int error;

	error = kstrtouint(params, 10, argc);
	if (error)
		return error;
	*argv = kcalloc(*argc, sizeof(**argv), GFP_KERNEL);
	if (!*argv)
		return -ENOMEM;
	for (i = 0; i < *argc; i++) {
		(*argv)[i] = (char *)next;
		next += strlen(next) + 1;
	}
	return 0;
}

static struct instance *make_instance(struct bridge *bridge, unsigned int argc, char **argv)
{
	struct hw_handler_type *type = &bridge->slot->type;
	struct instance *instance = kzalloc(sizeof(*instance), GFP_KERNEL);
	int error;

	if (!instance)
		return ERR_PTR(-ENOMEM);
	instance->bridge = bridge;
	instance->hwh.type = type;
	error = type->create(&instance->hwh, argc, argv);
	if (error) {
		sdev_printk(KERN_ERR, bridge->sdev, "%s: create failed (%d)\n", type->name, error);
		kfree(instance);
		/* In 2007 the value was only compared with 0, so it may be positive. */
		return ERR_PTR(error < 0 ? error : -EINVAL);
	}
	return instance;
}

static void destroy_instance(struct instance *instance)
{
	instance->hwh.type->destroy(&instance->hwh);
	kfree(instance);
}

/*
 * Replaces the current instance, which may be in use: a table is loaded while the
 * previous table is still active.
 */
static int replace_instance(struct bridge *bridge, struct instance *instance)
{
	struct instance *before = NULL;

	while (!before) {
		if (wait_event_killable(bridge->idle, READ_ONCE(bridge->pg_init) == PG_INIT_IDLE))
			return -EINTR;
		spin_lock_irq(&bridge->hook_lock);
		spin_lock(&bridge->lock);
		if (bridge->pg_init == PG_INIT_IDLE) {
			before = bridge->instance;
			bridge->instance = instance;
		}
		spin_unlock(&bridge->lock);
		spin_unlock_irq(&bridge->hook_lock);
	}
	destroy_instance(before);
	return 0;
}

static int hwh_set_params(struct scsi_device *sdev, const char *params)
{
	struct bridge *bridge = sdev->handler_data;
	struct instance *instance;
	unsigned int argc;
	char **argv;
	int error;

	error = parse_arguments(params, &argc, &argv);
	if (error)
		return error;
	instance = make_instance(bridge, argc, argv);
	kfree(argv);
	if (IS_ERR(instance))
		return PTR_ERR(instance);
	error = replace_instance(bridge, instance);
	if (error)
		destroy_instance(instance);
	return error;
}

static ssize_t show_status(struct device *dev, status_type_t what, char *text)
{
	struct bridge *bridge = to_scsi_device(dev)->handler_data;
	struct hw_handler *hwh;
	int len = 0;

	/* As in 2007, status() is called with a lock held. */
	spin_lock_irq(&bridge->hook_lock);
	hwh = &bridge->instance->hwh;
	if (hwh->type->status)
		len = hwh->type->status(hwh, what, text, PAGE_SIZE - 2);
	spin_unlock_irq(&bridge->hook_lock);
	return len + sysfs_emit_at(text, len, "\n");
}

static ssize_t hw_handler_status_show(struct device *dev, struct device_attribute *attr,
				      char *text)
{
	return show_status(dev, STATUSTYPE_INFO, text);
}
static DEVICE_ATTR_RO(hw_handler_status);

static ssize_t hw_handler_table_show(struct device *dev, struct device_attribute *attr,
				     char *text)
{
	return show_status(dev, STATUSTYPE_TABLE, text);
}
static DEVICE_ATTR_RO(hw_handler_table);

static struct attribute *hw_handler_attrs[] = {
	&dev_attr_hw_handler_status.attr,
	&dev_attr_hw_handler_table.attr,
	NULL
};

static const struct attribute_group hw_handler_group = { .attrs = hw_handler_attrs };

/* Takes a reference, unless the slot is free. */
static bool get_slot(struct slot *slot)
{
	bool taken;

	mutex_lock(&slots_lock);
	taken = slot->type.name;
	if (taken)
		slot->users++;
	mutex_unlock(&slots_lock);
	return taken;
}

static void put_slot(struct slot *slot)
{
	mutex_lock(&slots_lock);
	slot->users--;
	mutex_unlock(&slots_lock);
}

static int attach(struct slot *slot, struct scsi_device *sdev)
{
	struct bridge *bridge;

	if (!get_slot(slot))
		return SCSI_DH_NOSYS;
	bridge = kzalloc(sizeof(*bridge), GFP_KERNEL);
	if (!bridge) {
		put_slot(slot);
		return SCSI_DH_NOMEM;
	}
	bridge->slot = slot;
	bridge->sdev = sdev;
	bridge->path.is_active = 1;
	spin_lock_init(&bridge->lock);
	spin_lock_init(&bridge->hook_lock);
	INIT_LIST_HEAD(&bridge->waiters);
	INIT_WORK(&bridge->completion, complete_activation);
	init_waitqueue_head(&bridge->idle);
	bridge->instance = make_instance(bridge, 0, NULL);
	if (IS_ERR(bridge->instance)) {
		kfree(bridge);
		put_slot(slot);
		return SCSI_DH_DEV_FAILED;
	}
	sdev->handler_data = bridge;
	if (!sdev->sdev_gendev.kobj.sd ||
	    sysfs_create_group(&sdev->sdev_gendev.kobj, &hw_handler_group))
		sdev_printk(KERN_WARNING, sdev, "%s: status is not shown\n", slot->type.name);
	return SCSI_DH_OK;
}

static void hwh_detach(struct scsi_device *sdev)
{
	struct bridge *bridge = sdev->handler_data;

	/* The sysfs directory may have been removed already, with its files. */
	if (sdev->sdev_gendev.kobj.sd)
		sysfs_remove_group(&sdev->sdev_gendev.kobj, &hw_handler_group);
	destroy_instance(bridge->instance);
	flush_work(&bridge->completion);
	put_slot(bridge->slot);
	sdev->handler_data = NULL;
	kfree(bridge);
}

/* scsi_device_handler.attach() has no handler argument, hence one per slot. */
#define SLOT(n) static int attach_##n(struct scsi_device *sdev) { return attach(&slots[n], sdev); }
SLOT(0) SLOT(1) SLOT(2) SLOT(3) SLOT(4) SLOT(5) SLOT(6) SLOT(7)

static int (*const attach_slot[SLOTS])(struct scsi_device *) = {
	attach_0, attach_1, attach_2, attach_3, attach_4, attach_5, attach_6, attach_7,
};

/* Call with slots_lock held. A NULL name finds a free slot. */
static struct slot *find_slot(const char *name)
{
	struct slot *slot;

	for (slot = slots; slot < slots + SLOTS; slot++) {
		const char *taken = slot->type.name;

		if (name ? taken && !strcmp(taken, name) : !taken)
			return slot;
	}
	return NULL;
}

int dm_register_hw_handler(struct hw_handler_type *type)
{
	struct slot *slot;
	int error;

	/* The other functions are optional, as in 2007. */
	if (!type->name || !type->create || !type->destroy)
		return -EINVAL;
	mutex_lock(&slots_lock);
	slot = find_slot(NULL);
	if (find_slot(type->name)) {
		error = -EEXIST;
	} else if (!slot) {
		error = -ENOSPC;
	} else {
		slot->type = *type;
		slot->dh = (struct scsi_device_handler) {
			.name = slot->type.name,
			.module = slot->type.module,
			.attach = attach_slot[slot - slots],
			.detach = hwh_detach,
			.activate = hwh_activate,
			.check_sense = hwh_check_sense,
			.set_params = hwh_set_params,
		};
		error = scsi_register_device_handler(&slot->dh);
		if (error)
			slot->type.name = NULL;
	}
	mutex_unlock(&slots_lock);
	return error;
}
EXPORT_SYMBOL_GPL(dm_register_hw_handler);

int dm_unregister_hw_handler(struct hw_handler_type *type)
{
	struct slot *slot;
	int error = 0;

	mutex_lock(&slots_lock);
	slot = find_slot(type->name);
	if (!slot)
		error = -EINVAL;
	else if (slot->users)
		error = -ETXTBSY;
	else {
		scsi_unregister_device_handler(&slot->dh);
		slot->type.name = NULL;
	}
	mutex_unlock(&slots_lock);
	return error;
}
EXPORT_SYMBOL_GPL(dm_unregister_hw_handler);

static struct hw_handler_type *get_type(const char *name)
{
	struct hw_handler_type *type = NULL;
	struct slot *slot;

	mutex_lock(&slots_lock);
	slot = find_slot(name);
	if (slot && try_module_get(slot->type.module)) {
		slot->users++;
		type = &slot->type;
	}
	mutex_unlock(&slots_lock);
	return type;
}

struct hw_handler_type *dm_get_hw_handler(const char *name)
{
	struct hw_handler_type *type = name ? get_type(name) : NULL;

	if (!type && name && !request_module("dm-%s", name))
		type = get_type(name);
	return type;
}
EXPORT_SYMBOL_GPL(dm_get_hw_handler);

void dm_put_hw_handler(struct hw_handler_type *type)
{
	struct slot *slot;

	if (!type)
		return;
	slot = container_of(type, struct slot, type);
	module_put(type->module);
	put_slot(slot);
}
EXPORT_SYMBOL_GPL(dm_put_hw_handler);

/*
 * An error of the disk itself does not fail the path. The function of 2007 was
 * written to do this, but never could, because a bio carried no sense.
 */
unsigned int dm_scsi_err_handler(struct hw_handler *hwh, struct bio *bio)
{
	const struct scsi_sense_hdr *sense = dm_hw_handler_sense(hwh);

	if (!sense)
		return MP_FAIL_PATH;
	switch (sense->sense_key) {
	case MEDIUM_ERROR:
	case ILLEGAL_REQUEST:
	case DATA_PROTECT:
	case BLANK_CHECK:
	case COPY_ABORTED:
	case 0x0c:
	case VOLUME_OVERFLOW:
	case MISCOMPARE:
		return MP_ERROR_IO;
	default:
		return MP_FAIL_PATH;
	}
}
EXPORT_SYMBOL_GPL(dm_scsi_err_handler);

struct scsi_device *dm_hw_handler_sdev(struct hw_handler *hwh)
{
	return hwh_bridge(hwh)->sdev;
}
EXPORT_SYMBOL_GPL(dm_hw_handler_sdev);

const struct scsi_sense_hdr *dm_hw_handler_sense(struct hw_handler *hwh)
{
	return hwh_bridge(hwh)->sense;
}
EXPORT_SYMBOL_GPL(dm_hw_handler_sense);

static int __init dm_hw_handler_init(void)
{
	workqueue = alloc_workqueue("kdmhwhd", WQ_MEM_RECLAIM, 0);
	return workqueue ? 0 : -ENOMEM;
}

static void __exit dm_hw_handler_exit(void)
{
	destroy_workqueue(workqueue);
}

module_init(dm_hw_handler_init);
module_exit(dm_hw_handler_exit);

MODULE_DESCRIPTION("The dm-multipath hardware handler interface of 2007");
MODULE_LICENSE("GPL");
