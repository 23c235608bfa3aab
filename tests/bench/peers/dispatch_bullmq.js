"use strict";
// BullMQ: the call's id is what the job returns, kept in redis with its state "completed". redis writes its
// log once a second, so this peer may lose a second's work where the others lose none.
const { Queue, Worker } = require("bullmq");
const common = require("./dispatch_common.js");

const processes = Number(process.env.PEER_PROCESSES || 1);
const concurrency = Number(process.env.PEER_JOBS || 200);
const connection = { path: process.env.REDIS, maxRetriesPerRequest: null };

async function prepare(n) {
	const queue = new Queue("dispatch", { connection });
	for (let at = 1; at <= n; at += 5000) {
		const jobs = [];
		for (let i = at; i <= Math.min(n, at + 4999); i++)
			jobs.push({ name: "call", data: common.lead(i) });
		await queue.addBulk(jobs);
	}
	await queue.close();
}

async function begin() {
	const worker = new Worker(
		"dispatch",
		async (job) => {
			const attempt = common.attempt();
			return { attempt, state: "placed", call: await common.post(job.data, attempt) };
		},
		{ connection, concurrency, autorun: false, lockDuration: 120000 },
	);
	worker.on("error", (e) => console.error(e));
	await worker.waitUntilReady();
	return (done) => {
		worker.on("completed", () => done(1));
		worker.run();
	};
}

async function count() {
	const queue = new Queue("dispatch", { connection });
	const ids = new Set();
	for (let at = 0; ; at += 10000) {
		const jobs = await queue.getCompleted(at, at + 9999);
		for (const job of jobs) ids.add(job.returnvalue.call);
		if (jobs.length < 10000) break;
	}
	return ids.size;
}

common.main({ processes, prepare, begin, count });
