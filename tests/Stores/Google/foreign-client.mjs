// Drives a server of Google Cloud Storage with the library of JavaScript. Arguments: the server's address, a bucket.
import assert from 'node:assert/strict';
import { Storage, IdempotencyStrategy } from '@google-cloud/storage';

const [apiEndpoint, name] = process.argv.slice(2);
const storage = new Storage({ apiEndpoint: apiEndpoint.replace(/\/$/, ''), projectId: 'test', retryOptions: { autoRetry: false, idempotencyStrategy: IdempotencyStrategy.RetryNever } });
const bucket = storage.bucket(name);
const MiB = 1024 * 1024;
const fails = (code, promise) => assert.rejects(promise, error => { assert.equal([error.code, error.status, error.response?.status].map(Number).find(Number.isInteger), code, error.message); return true; });

// Names, in one request and in a session.
const keys = ['names/a b', 'names/%2F', 'names/a+b', 'names/#?&=', 'names//x', 'names/ä/日本語', 'names/😀', "names/'(!)*"];
for (const key of keys) {
    await bucket.file(key).save(key, { resumable: key.length % 2 === 0, validation: 'crc32c' });
    assert.equal((await bucket.file(key).download({ validation: 'crc32c' })).toString(), key);
}
const [listed] = await bucket.getFiles({ prefix: 'names/' });
assert.deepEqual(listed.map(file => file.name).sort(), [...keys].sort());
const [, , folders] = await bucket.getFiles({ delimiter: '/', autoPaginate: false });
assert.deepEqual(folders.prefixes, ['names/']);

// Several chunks.
const large = Buffer.alloc(3 * MiB + 17, 'chunk');
await bucket.file('large').save(large, { resumable: true, chunkSize: MiB, validation: 'crc32c' });
assert.deepEqual((await bucket.file('large').download())[0], large);
assert.deepEqual((await bucket.file('large').download({ start: 5, end: 9, validation: false }))[0], large.subarray(5, 10));
const [metadata] = await bucket.file('large').getMetadata();
assert.equal(Number(metadata.size), large.length);

// Conditions.
const once = bucket.file('once', { preconditionOpts: { ifGenerationMatch: 0 } });
await once.save('one', { resumable: false });
await fails(412, bucket.file('once', { preconditionOpts: { ifGenerationMatch: 0 } }).save('two', { resumable: false }));
await fails(412, bucket.file('once', { preconditionOpts: { ifGenerationMatch: 0 } }).save('two', { resumable: true }));
assert.equal((await bucket.file('once').download()).toString(), 'one');
await fails(404, bucket.file('absent').download());
await fails(404, bucket.file('large', { generation: 1 }).getMetadata());

// Copies, properties, parts.
await bucket.file('names/ä/日本語').copy(bucket.file('copy of ä'));
assert.equal((await bucket.file('copy of ä').download()).toString(), 'names/ä/日本語');
await bucket.file('copy of ä').setMetadata({ metadata: { kind: 'copy' } });
assert.equal((await bucket.file('copy of ä').getMetadata())[0].metadata.kind, 'copy');
await bucket.combine([bucket.file('once'), bucket.file('copy of ä')], bucket.file('combined'));
assert.equal((await bucket.file('combined').download()).toString(), 'onenames/ä/日本語');

// Away.
await bucket.file('once').delete();
await fails(404, bucket.file('once').delete());
const [buckets] = await storage.getBuckets();
assert.ok(buckets.some(one => one.name === name));
console.log('done');
