namespace Sisyphus.Tests.StoreEmulator.Faults;

/// <summary>What the kinds of faults have in common.</summary>
public static class FaultKinds
{
    /// <summary>Those that a store overcomes by trying again, and that no test has to end; not <see cref="FaultKind.Silent"/>, which is of contents alone.</summary>
    public static IReadOnlyList<FaultKind> Passing { get; } = [.. Enum.GetValues<FaultKind>().Except([FaultKind.Forbidden, FaultKind.Held, FaultKind.Silent])];
}
