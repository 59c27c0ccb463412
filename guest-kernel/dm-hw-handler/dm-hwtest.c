// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hardware handler for tests. It sends no commands. The table's arguments set
 * the flags with which it completes pg_init, the context, and how often; that
 * includes misbehaviour, to show its consequences.
 *
 *	FLAGS [direct|timer|twice|never [COUNT]]
 *
 * FLAGS are MP_ flags in decimal. "direct", the default, completes before pg_init
 * returns; "timer" completes in interrupt context. After COUNT completions the
 * flags are 0. Without arguments pg_init succeeds at once. "refuse" makes create()
 * fail.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <scsi/scsi_common.h>
#include <scsi/scsi_device.h>

#include "dm-hw-handler.h"

/* More than the maximum number of types. */
#define MANY 16

static unsigned int error_flags = MP_FAIL_PATH;
module_param(error_flags, uint, 0644);
MODULE_PARM_DESC(error_flags, "what error() answers (MP_ flags)");

static bool refuse;
module_param(refuse, bool, 0644);
MODULE_PARM_DESC(refuse, "create() fails without arguments, too");

enum way { WAY_DIRECT, WAY_TIMER, WAY_TWICE, WAY_NEVER };

struct hwtest {
	struct dm_path *path;
	struct timer_list timer;
	enum way way;
	unsigned int flags;
	unsigned int left;	/* remaining completions with flags */
	unsigned int asked;	/* number of pg_init calls */
	unsigned int errors;	/* number of error() calls */
};

static unsigned int answer(struct hwtest *h)
{
	if (!h->left)
		return 0;
	h->left--;
	return h->flags;
}

static void hwtest_timer(struct timer_list *timer)
{
	struct hwtest *h = container_of(timer, struct hwtest, timer);

	dm_pg_init_complete(h->path, answer(h));
}

static void hwtest_pg_init(struct hw_handler *hwh, unsigned int bypassed, struct dm_path *path)
{
	struct hwtest *h = hwh->context;
	unsigned int flags;

	h->asked++;
	h->path = path;
	switch (h->way) {
	case WAY_NEVER:
		break;
	case WAY_TIMER:
		mod_timer(&h->timer, jiffies + HZ / 100);
		break;
	case WAY_TWICE:
		flags = answer(h);
		dm_pg_init_complete(path, flags);
		dm_pg_init_complete(path, flags);
		break;
	case WAY_DIRECT:
		dm_pg_init_complete(path, answer(h));
		break;
	}
}

static unsigned int hwtest_error(struct hw_handler *hwh, struct bio *bio)
{
	const struct scsi_sense_hdr *sense = dm_hw_handler_sense(hwh);
	struct hwtest *h = hwh->context;

	h->errors++;
	sdev_printk(KERN_INFO, dm_hw_handler_sdev(hwh), "hwtest: error %02x/%02x/%02x: flags %u\n",
		    sense->sense_key, sense->asc, sense->ascq, error_flags);
	return error_flags;
}

static int parse(struct hwtest *h, unsigned int argc, char **argv)
{
	static const char * const ways[] = { "direct", "timer", "twice", "never", NULL };
	int way = WAY_DIRECT;

	h->left = UINT_MAX;
	if (argc > 3 || (argc && kstrtouint(argv[0], 10, &h->flags)))
		return -EINVAL;
	if (argc > 1)
		way = match_string(ways, -1, argv[1]);
	if (way < 0 || (argc > 2 && kstrtouint(argv[2], 10, &h->left)))
		return -EINVAL;
	h->way = way;
	return 0;
}

static int hwtest_create(struct hw_handler *hwh, unsigned int argc, char **argv)
{
	struct hwtest *h;
	int error;

	if (argc ? !strcmp(argv[0], "refuse") : refuse)
		return -EPERM;
	h = kzalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		return -ENOMEM;
	error = parse(h, argc, argv);
	if (error) {
		kfree(h);
		return error;
	}
	timer_setup(&h->timer, hwtest_timer, 0);
	hwh->context = h;
	return 0;
}

static void hwtest_destroy(struct hw_handler *hwh)
{
	struct hwtest *h = hwh->context;

	del_timer_sync(&h->timer);
	kfree(h);
}

static int hwtest_status(struct hw_handler *hwh, status_type_t type, char *result,
			 unsigned int maxlen)
{
	struct hwtest *h = hwh->context;

	if (type == STATUSTYPE_TABLE)
		return scnprintf(result, maxlen, "flags %u way %u", h->flags, h->way);
	return scnprintf(result, maxlen, "asked %u errors %u", h->asked, h->errors);
}

static struct hw_handler_type hwtest = {
	.name = "hwtest",
	.module = THIS_MODULE,
	.create = hwtest_create,
	.destroy = hwtest_destroy,
	.pg_init = hwtest_pg_init,
	.error = hwtest_error,
	.status = hwtest_status,
};

/* A type that is equal to hwtest except for its name. */
static struct hw_handler_type named(char *name)
{
	struct hw_handler_type type = hwtest;

	type.name = name;
	return type;
}

static void register_named(char *name)
{
	struct hw_handler_type type = named(name);

	pr_info("register %s: %d\n", name, dm_register_hw_handler(&type));
}

static void unregister_named(char *name)
{
	struct hw_handler_type type = named(name);

	pr_info("unregister %s: %d\n", name, dm_unregister_hw_handler(&type));
}

/* Registers types until registration fails, then unregisters them. */
static void register_many(void)
{
	static char names[MANY][8];
	unsigned int count;
	int error = 0;

	for (count = 0; count < MANY; count++) {
		struct hw_handler_type type;

		snprintf(names[count], sizeof(names[count]), "%c-fill", 'a' + count);
		type = named(names[count]);
		error = dm_register_hw_handler(&type);
		if (error)
			break;
	}
	pr_info("register many: %d\n", error);
	while (count--) {
		struct hw_handler_type type = named(names[count]);

		error = dm_unregister_hw_handler(&type);
		if (error)
			pr_err("unregister %s: %d\n", names[count], error);
	}
}

/* Registers, looks up and unregisters types on a write to parameter `life`. */
static int live(const char *value, const struct kernel_param *param)
{
	struct hw_handler_type *got, nameless = named(NULL);

	register_named("hwtest");
	register_named("sansim");
	register_named("sansim2");
	register_named("rdac2");
	unregister_named("nobody");
	unregister_named("sansim");
	pr_info("register nameless: %d\n", dm_register_hw_handler(&nameless));
	register_many();

	got = dm_get_hw_handler("hwtest");
	pr_info("get hwtest: %s\n", got ? got->name : "nothing");
	unregister_named("hwtest");
	dm_put_hw_handler(got);
	unregister_named("hwtest");
	register_named("hwtest");
	got = dm_get_hw_handler("nobody");
	pr_info("get nobody: %s\n", got ? got->name : "nothing");
	dm_put_hw_handler(got);
	return 0;
}

static const struct kernel_param_ops life_ops = { .set = live };
module_param_cb(life, &life_ops, NULL, 0200);
MODULE_PARM_DESC(life, "write anything to register and unregister types, and see what comes of it in the log");

static int __init hwtest_init(void)
{
	return dm_register_hw_handler(&hwtest);
}

static void __exit hwtest_exit(void)
{
	int error = dm_unregister_hw_handler(&hwtest);

	if (error)
		pr_err("cannot unregister (%d)\n", error);
}

module_init(hwtest_init);
module_exit(hwtest_exit);

MODULE_DESCRIPTION("Hardware handler that does as it is told");
MODULE_ALIAS("scsi_dh_hwtest");
MODULE_ALIAS("dm-hwtest");
MODULE_LICENSE("GPL");
