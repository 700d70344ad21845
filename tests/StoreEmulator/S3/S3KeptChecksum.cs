namespace Sisyphus.Tests.StoreEmulator.S3;

internal sealed record S3KeptChecksum(string Algorithm, string Value, bool IsComposite)
{
    public string Type => IsComposite ? "COMPOSITE" : "FULL_OBJECT";
}
