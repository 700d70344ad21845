using System.Management.Automation;

namespace Sisyphus.Host;

/// <summary><c>-Filter</c>, <c>-Include</c> and <c>-Exclude</c> on the last part of a path.</summary>
internal sealed class NameFilter(string? filter, string[]? include, string[]? exclude)
{
    private readonly WildcardPattern[] _all = Compile(filter is null ? [] : [filter]);
    private readonly WildcardPattern[] _include = Compile(include);
    private readonly WildcardPattern[] _exclude = Compile(exclude);

    public bool Accepts(string name) =>
        _all.All(p => p.IsMatch(name)) && (_include.Length == 0 || _include.Any(p => p.IsMatch(name))) && !_exclude.Any(p => p.IsMatch(name));

    private static WildcardPattern[] Compile(string[]? patterns) =>
        [.. (patterns ?? []).Select(p => WildcardPattern.Get(p, WildcardOptions.IgnoreCase | WildcardOptions.Compiled))];
}
