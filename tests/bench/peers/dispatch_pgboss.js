"use strict";
// pg-boss: several loops, each fetching a batch, sending all of it at once, writing the results down and
// completing the batch. What is fetched is marked active by a committed row.
const { Pool } = require("pg");
const PgBoss = require("pg-boss");
const common = require("./dispatch_common.js");

const processes = Number(process.env.PEER_PROCESSES || 1);
const loops = Number(process.env.PEER_LOOPS || 2);
const batch = Number(process.env.PEER_BATCH || 2000);
const pool = new Pool({ host: process.env.PGHOST, max: 10 });
const db = { executeSql: (text, values) => pool.query(text, values) };

async function prepare(n) {
	const boss = new PgBoss({ db, supervise: false, schedule: false });
	await boss.start();
	await boss.createQueue("dispatch", { policy: "standard" });
	await pool.query(common.table);
	for (let at = 1; at <= n; at += 5000) {
		const jobs = [];
		for (let i = at; i <= Math.min(n, at + 4999); i++)
			jobs.push({ name: "dispatch", data: common.lead(i) });
		await boss.insert(jobs);
	}
	await pool.query("vacuum analyze");
	await pool.query("checkpoint");
}

async function begin() {
	const boss = new PgBoss({ db, supervise: false, schedule: false, migrate: false });
	await boss.start();
	const record = common.recorder(pool);
	const loop = async (done) => {
		for (;;) {
			const jobs = await boss.fetch("dispatch", { batchSize: batch, priority: false });
			if (!jobs.length) return;
			await Promise.all(
				jobs.map(async (job) => {
					const attempt = common.attempt();
					await record(attempt, job.data, await common.post(job.data, attempt));
				}),
			);
			await boss.complete(
				"dispatch",
				jobs.map((job) => job.id),
			);
			done(jobs.length);
		}
	};
	return (done) => {
		for (let i = 0; i < loops; i++)
			loop(done).catch((e) => {
				console.error(e);
				process.exit(1);
			});
	};
}

common.main({ processes, prepare, begin, count: () => common.recorded(pool) });
