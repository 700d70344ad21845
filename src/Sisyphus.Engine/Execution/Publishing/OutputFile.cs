using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>A local file that is to become an object.</summary>
/// <param name="LocalPath">Absolute; a regular file that nobody writes any more.</param>
/// <param name="Remote">Its final place: one object, not a prefix.</param>
internal sealed record OutputFile(string LocalPath, RemotePath Remote);
