namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>An answer that is an error (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).</summary>
internal sealed class S3Error(int status, string code, string message) : Exception(message)
{
    public int Status => status;

    public string Code => code;

    /// <summary>Headers of the answer.</summary>
    public Dictionary<string, string> Headers { get; } = [];

    /// <summary>Further elements of the answer.</summary>
    public Dictionary<string, string> Elements { get; } = [];

    public static S3Error NoSuchBucket(string bucket) => new(404, "NoSuchBucket", "The specified bucket does not exist") { Elements = { ["BucketName"] = bucket } };

    public static S3Error NoSuchKey(string key) => new(404, "NoSuchKey", "The specified key does not exist.") { Elements = { ["Key"] = key } };

    public static S3Error NoSuchUpload(string id) => new(404, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.") { Elements = { ["UploadId"] = id } };

    public static S3Error PreconditionFailed(string condition) => new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold") { Elements = { ["Condition"] = condition } };

    public static S3Error Invalid(string message) => new(400, "InvalidRequest", message);

    public static S3Error Argument(string name, string? value, string message) => new(400, "InvalidArgument", message) { Elements = { ["ArgumentName"] = name, ["ArgumentValue"] = value ?? "" } };

    public static S3Error NotImplemented(string what) => new(501, "NotImplemented", $"A header or query you provided implies functionality that is not implemented: {what}.");
}
