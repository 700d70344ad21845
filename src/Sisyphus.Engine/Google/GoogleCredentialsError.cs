namespace Sisyphus.Engine.Google;

internal enum GoogleCredentialsError
{
    /// <summary>There are none in any of the usual places.</summary>
    Missing,
    /// <summary>There are some, but they can't be used: a broken file, an expired login, a deleted key.</summary>
    Unusable,
    /// <summary>Nobody could be asked for a token just now: worth another try.</summary>
    Unreachable,
}
