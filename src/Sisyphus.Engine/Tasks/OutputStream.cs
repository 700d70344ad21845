namespace Sisyphus.Engine.Tasks;

public enum OutputStream
{
    StandardOutput,
    StandardError,
}
