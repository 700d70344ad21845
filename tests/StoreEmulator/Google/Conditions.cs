using System.Globalization;

namespace Sisyphus.Tests.StoreEmulator.Google;

/// <summary>https://cloud.google.com/storage/docs/request-preconditions.</summary>
internal sealed record Conditions(long? Generation, long? IfGeneration, long? IfNotGeneration, long? IfMetageneration, long? IfNotMetageneration)
{
    public static readonly Conditions None = new(null, null, null, null, null);

    public static Conditions Of(GoogleRequest request) => new(
        Number(request, "generation"), Number(request, "ifGenerationMatch"), Number(request, "ifGenerationNotMatch"), Number(request, "ifMetagenerationMatch"), Number(request, "ifMetagenerationNotMatch"));

    public static Conditions OfSource(GoogleRequest request) => new(
        Number(request, "sourceGeneration"), Number(request, "ifSourceGenerationMatch"), Number(request, "ifSourceGenerationNotMatch"), Number(request, "ifSourceMetagenerationMatch"), null);

    /// <summary>The generation that was asked for, if one was.</summary>
    public bool IsGeneration(GoogleObject there) => Generation is null || Generation == there.Generation;

    /// <param name="there">Null when there is none: generation 0.</param>
    public void Check(GoogleObject? there)
    {
        var generation = there?.Generation ?? 0;
        if ((IfGeneration is { } wanted && wanted != generation)
            || (IfMetageneration is { } meta && meta != (there?.Metageneration ?? 0))
            || (IfNotGeneration is { } unwanted && unwanted == generation)
            || (IfNotMetageneration is { } notMeta && notMeta == there?.Metageneration))
            throw GoogleError.Precondition();
    }

    private static long? Number(GoogleRequest request, string name)
    {
        if (request.Query(name) is not { } text)
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw GoogleError.Invalid($"Invalid value for {name}: '{text}'");
    }
}
