namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>Temporary credentials.</summary>
public sealed record S3Session(string AccessKey, string Secret, string Token)
{
    public bool IsOver { get; set; }
}
