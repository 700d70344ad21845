using Sisyphus.Bench;

return args switch
{
    ["overhead", var image, ..] => await Overhead.RunAsync(image, args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 20),
    ["stdout", var image] => await Memory.RunAsync(image, Memory.StandardOutput),
    ["tree", var image] => await Memory.RunAsync(image, Memory.Tree),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("""
        usage: dotnet run -c Release --project bench/Sisyphus.Bench -- overhead IMAGE [PAIRS]
               dotnet run -c Release --project bench/Sisyphus.Bench -- stdout IMAGE
               dotnet run -c Release --project bench/Sisyphus.Bench -- tree IMAGE

        overhead  A task of one command against create, start, wait and remove called directly, alternating.
        stdout    Peak memory of this process while a task writes 2 GiB to its standard output.
        tree      Peak memory of this process while a task publishes a directory of 2 GiB.

        IMAGE is local and has true, dd and sh, as alpine and busybox do.
        """);
    return 2;
}
