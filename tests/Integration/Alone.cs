using Xunit;

namespace Sisyphus.Tests.Integration;

/// <summary>For tests that measure the process or the machine: they run when no others do.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
