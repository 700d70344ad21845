namespace Sisyphus.Engine.Storage.S3;

/// <summary>What a request is about, as messages name it.</summary>
/// <param name="Bucket">Empty for all.</param>
/// <param name="Key">Empty for the bucket itself.</param>
internal readonly record struct S3Target(string Bucket, string Key)
{
    public override string ToString() => Key.Length > 0 ? $"{Bucket}:{Key}" : $"bucket '{Bucket}'";
}
