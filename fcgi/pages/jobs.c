#include "pages/jobs.h"

static const char *
words(struct str kind)
{
	static const struct {
		const char *kind, *words;
	} all[] = {{"enrol", "Leads are being added"},
	    {"requeue", "Blocked leads are being looked at again"},
	    {"cancel", "Waiting leads are being taken off"},
	    {"attest", "Consent is being recorded"}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (str_is(kind, all[i].kind))
			return all[i].words;
	return "Leads are being changed";
}

void
jobs_words(struct arena *a, struct value *jobs)
{
	for (size_t i = 0; jobs && i < jobs->list.n; i++) {
		struct value *job = jobs->list.items[i];
		int64_t done = value_num(job, "done"), total = value_num(job, "total");
		value_set_text(a, job, "words", words(value_str(job, "kind")));
		value_set_int(a, job, "percent", total > 0 ? done * 100 / total : 0);
	}
}
