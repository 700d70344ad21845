// Drives a server of S3 with the SDK of JavaScript. Arguments: the server's address, a bucket.
import assert from 'node:assert/strict';
import {
    S3Client, PutObjectCommand, GetObjectCommand, HeadObjectCommand, DeleteObjectCommand, CopyObjectCommand, ListObjectsV2Command, ListBucketsCommand,
    CreateMultipartUploadCommand, UploadPartCommand, ListPartsCommand, CompleteMultipartUploadCommand, AbortMultipartUploadCommand, paginateListObjectsV2,
} from '@aws-sdk/client-s3';

const [endpoint, Bucket] = process.argv.slice(2);
const settings = { endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1 };
const s3 = new S3Client(settings);
const send = (command, input) => s3.send(new command({ Bucket, ...input }));
const fails = (name, promise) => assert.rejects(promise, error => { assert.equal(error.name, name); return true; });
const MiB = 1024 * 1024;

// Checksums before the content, behind it in chunks, and none.
for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'SHA1', 'SHA256']) {
    const put = await send(PutObjectCommand, { Key: `sums/${ChecksumAlgorithm}`, Body: 'content', ChecksumAlgorithm });
    const got = await send(GetObjectCommand, { Key: `sums/${ChecksumAlgorithm}`, ChecksumMode: 'ENABLED' });
    assert.equal(await got.Body.transformToString(), 'content');
    assert.equal(got[`Checksum${ChecksumAlgorithm}`], put[`Checksum${ChecksumAlgorithm}`]);
    assert.ok(got[`Checksum${ChecksumAlgorithm}`]);
}
const { Readable } = await import('node:stream');
const large = Buffer.alloc(3 * MiB, 'stream');
await send(PutObjectCommand, { Key: 'streamed', Body: Readable.from([large.subarray(0, MiB), large.subarray(MiB)]), ContentLength: large.length });
assert.deepEqual(Buffer.from(await (await send(GetObjectCommand, { Key: 'streamed' })).Body.transformToByteArray()), large);
await fails('BadDigest', send(PutObjectCommand, { Key: 'wrong', Body: 'x', ChecksumCRC32C: 'AAAAAA==' }));

// Names.
const keys = ['names/a b', 'names/%2F', 'names/a+b', 'names/#?&=', 'names//x', 'names/ä/日本語', 'names/😀', "names/'(!)*"];
for (const Key of keys) {
    await send(PutObjectCommand, { Key, Body: Key });
    assert.equal(await (await send(GetObjectCommand, { Key })).Body.transformToString(), Key);
}
const listed = [];
for await (const page of paginateListObjectsV2({ client: s3, pageSize: 3 }, { Bucket, Prefix: 'names/' }))
    listed.push(...page.Contents.map(one => one.Key));
assert.deepEqual([...listed].sort(), [...keys].sort());
const folders = await send(ListObjectsV2Command, { Delimiter: '/' });
assert.deepEqual(folders.CommonPrefixes.map(one => one.Prefix), ['names/', 'sums/']);
assert.ok((await s3.send(new ListBucketsCommand())).Buckets.some(one => one.Name === Bucket));

// Conditions and ranges.
const first = await send(PutObjectCommand, { Key: 'once', Body: 'one', IfNoneMatch: '*' });
await fails('PreconditionFailed', send(PutObjectCommand, { Key: 'once', Body: 'two', IfNoneMatch: '*' }));
await fails('PreconditionFailed', send(GetObjectCommand, { Key: 'once', IfMatch: '"other"' }));
assert.equal(await (await send(GetObjectCommand, { Key: 'once', Range: 'bytes=1-', IfMatch: first.ETag })).Body.transformToString(), 'ne');
await fails('InvalidRange', send(GetObjectCommand, { Key: 'once', Range: 'bytes=9-' }));
await fails('NoSuchKey', send(GetObjectCommand, { Key: 'absent' }));
await fails('NotFound', send(HeadObjectCommand, { Key: 'absent' }));
await fails('NoSuchBucket', send(GetObjectCommand, { Bucket: 'absent-bucket', Key: 'absent' }));

// Copies.
await send(CopyObjectCommand, { Key: 'copy', CopySource: `${Bucket}/${encodeURIComponent('names/ä/日本語')}` });
assert.equal(await (await send(GetObjectCommand, { Key: 'copy' })).Body.transformToString(), 'names/ä/日本語');
await fails('PreconditionFailed', send(CopyObjectCommand, { Key: 'copy', CopySource: `${Bucket}/once`, CopySourceIfMatch: '"other"' }));

// Parts.
const { UploadId } = await send(CreateMultipartUploadCommand, { Key: 'parts', ChecksumAlgorithm: 'CRC32C', ChecksumType: 'FULL_OBJECT' });
const part = async (PartNumber, Body) => ({ PartNumber, ETag: (await send(UploadPartCommand, { Key: 'parts', UploadId, PartNumber, Body, ChecksumAlgorithm: 'CRC32C' })).ETag });
const parts = [await part(1, Buffer.alloc(5 * MiB, 'a')), await part(2, Buffer.alloc(10, 'b'))];
assert.deepEqual((await send(ListPartsCommand, { Key: 'parts', UploadId })).Parts.map(one => one.Size), [5 * MiB, 10]);
await fails('InvalidPartOrder', send(CompleteMultipartUploadCommand, { Key: 'parts', UploadId, MultipartUpload: { Parts: [...parts].reverse() } }));
const done = await send(CompleteMultipartUploadCommand, { Key: 'parts', UploadId, MultipartUpload: { Parts: parts } });
assert.match(done.ETag, /-2"$/);
assert.equal((await send(HeadObjectCommand, { Key: 'parts', ChecksumMode: 'ENABLED' })).ContentLength, 5 * MiB + 10);
const small = await send(CreateMultipartUploadCommand, { Key: 'small' });
const tiny = [];
for (const PartNumber of [1, 2])
    tiny.push({ PartNumber, ETag: (await send(UploadPartCommand, { Key: 'small', UploadId: small.UploadId, PartNumber, Body: 'x' })).ETag });
await fails('EntityTooSmall', send(CompleteMultipartUploadCommand, { Key: 'small', UploadId: small.UploadId, MultipartUpload: { Parts: tiny } }));
await send(AbortMultipartUploadCommand, { Key: 'small', UploadId: small.UploadId });
await fails('NoSuchUpload', send(ListPartsCommand, { Key: 'small', UploadId: small.UploadId }));

// Rights.
await send(DeleteObjectCommand, { Key: 'once' });
await fails('NoSuchKey', send(GetObjectCommand, { Key: 'once' }));
const stranger = new S3Client({ ...settings, credentials: { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: 'wrong' } });
await fails('SignatureDoesNotMatch', stranger.send(new GetObjectCommand({ Bucket, Key: 'copy' })));
console.log('done');
