using Xunit;

namespace Sisyphus.Tests.Unit;

/// <summary>For tests that measure the process: they run when no others do.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
