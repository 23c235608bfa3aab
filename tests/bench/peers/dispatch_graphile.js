"use strict";
// graphile-worker, tuned as its manual says: a local queue, batched completion, many jobs at once. A job
// that is fetched is locked by a committed row before its task runs; the result is durable before the job is
// done.
const { Pool } = require("pg");
const { Logger, run, runMigrations } = require("graphile-worker");
const common = require("./dispatch_common.js");

const processes = Number(process.env.PEER_PROCESSES || 1);
const jobs = Number(process.env.PEER_JOBS || 500);
const logger = new Logger(() => (level, message) => level === "error" && console.error(message));
const pool = new Pool({ host: process.env.PGHOST, max: 10 });

async function prepare(n) {
	await runMigrations({ pgPool: pool, logger });
	await pool.query(common.table);
	const specs = [];
	for (let i = 1; i <= n; i++)
		specs.push({ identifier: "dispatch", payload: common.lead(i), max_attempts: 1 });
	while (specs.length)
		await pool.query(
			`select count(*) from graphile_worker.add_jobs(array(select json_populate_recordset(
				null::graphile_worker.job_spec, $1::json)))`,
			[JSON.stringify(specs.splice(0, 5000))],
		);
	await pool.query("vacuum analyze");
	await pool.query("checkpoint");
}

async function begin() {
	const record = common.recorder(pool);
	await pool.query("select 1");
	return (done) =>
		run({
			pgPool: pool,
			logger,
			noHandleSignals: true,
			parsedCronItems: [],
			taskList: {
				dispatch: async (lead) => {
					const attempt = common.attempt();
					await record(attempt, lead, await common.post(lead, attempt));
					done(1);
				},
			},
			preset: {
				worker: {
					concurrentJobs: jobs,
					pollInterval: 100,
					localQueue: { size: Number(process.env.PEER_LOCAL || 2000) },
					completeJobBatchDelay: 0,
					failJobBatchDelay: 0,
				},
			},
		});
}

common.main({ processes, prepare, begin, count: () => common.recorded(pool) });
