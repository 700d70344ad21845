using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Containers.Docker;

using Xunit;

namespace Sisyphus.Tests.Unit.Containers.Docker;

public sealed class GoFileModeTests
{
    // Values of Go's os.FileMode for: regular 0644, directory 0755, link 0777, FIFO, socket, character device, block device, setuid 4755, sticky directory 1777.
    [Theory]
    [InlineData(0x1A4u, ContainerPathKind.File, 0x1A4)]
    [InlineData(0x800001EDu, ContainerPathKind.Directory, 0x1ED)]
    [InlineData(0x80001FFu | 0x8000000u, ContainerPathKind.SymbolicLink, 0x1FF)]
    [InlineData(0x20001A4u, ContainerPathKind.Other, 0x1A4)]
    [InlineData(0x10001EDu, ContainerPathKind.Other, 0x1ED)]
    [InlineData(0x42001B6u, ContainerPathKind.Other, 0x1B6)]
    [InlineData(0x40001B0u, ContainerPathKind.Other, 0x1B0)]
    [InlineData(0x8001EDu, ContainerPathKind.File, 0x9ED)]
    [InlineData(0x801001FFu, ContainerPathKind.Directory, 0x3FF)]
    public void Describe_Mode_IsKindAndPermissions(uint mode, ContainerPathKind kind, int permissions) =>
        Assert.Equal(new ContainerPathInfo(kind, 5, (UnixFileMode)permissions), GoFileMode.Describe(mode, 5));
}
