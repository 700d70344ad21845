namespace Sisyphus.Tests.StoreEmulator.Web;

/// <summary>A request as it came.</summary>
public sealed record WebRequest(string Method, string Target, string Range, string IfRange, string IfMatch, string AcceptEncoding);
