using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Sisyphus.Tests.Unit.Storage.Directories;

/// <summary>Runs a piece of code without the superuser's right to read everything, so that tests of permissions mean something as root too.</summary>
/// <remarks>setfsuid(2) changes one thread only, so what is to be refused has to happen before the code first waits for another.</remarks>
internal static partial class AsOrdinaryUser
{
    private const int Nobody = 65534;

    public static void Run(Func<Task> code)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            var before = SetFileSystemUser(Environment.IsPrivilegedProcess ? Nobody : -1);
            try
            {
                code().GetAwaiter().GetResult();
            }
            catch (Exception error)
            {
                failure = error;
            }
            finally
            {
                _ = SetFileSystemUser(before);
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
    }

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFileSystemUser(int user);
}
