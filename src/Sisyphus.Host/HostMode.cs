namespace Sisyphus.Host;

internal enum HostMode
{
    Interactive,
    File,
    Command,
    StandardInput,
    Help,
    Version,
}
